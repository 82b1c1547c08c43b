"""What a probe can find out about a DICOM listener, in stable words. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What was found out about a listener; stable, because results are kept by these words."""

    OK = "ok"
    WRONG_CALLED = "wrong-called-ae"
    WRONG_CALLING = "wrong-calling-ae"
    UNREACHABLE = "unreachable"
    CLASS_REFUSED = "object-class-refused"
    REJECTED = "rejected"
    ABORTED = "aborted"
    SILENT = "no-dicom-answer"
    NOT_DICOM = "not-dicom"
    ECHO_FAILED = "echo-failed"
    TLS_FAILED = "tls-failed"
    NOT_ALLOWED = "not-allowed"


REJECTIONS: dict[tuple[int, int], tuple[Outcome, str]] = {
    (1, 2): (Outcome.REJECTED, "the application context is not supported"),
    (1, 3): (Outcome.WRONG_CALLING, "the calling AE title is not recognised"),
    (1, 7): (Outcome.WRONG_CALLED, "the called AE title is not recognised"),
    (2, 2): (Outcome.REJECTED, "the protocol version is not supported"),
    (3, 1): (Outcome.REJECTED, "it is congested for the moment"),
    (3, 2): (Outcome.REJECTED, "it has as many associations as it may have"),
}
"""Source and reason of an A-ASSOCIATE-RJ (DICOM PS3.8, table 9-21)."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who asks and who listens, as the association is modelled."""

    calling_ae: str
    called_ae: str
    host: str
    port: int
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe found.

    Attributes
    ----------
    address : str
        The address that was asked, empty where none was.
    accepted, refused : tuple of str
        The object classes that the listener took, and those that it did not.
    """

    outcome: Outcome
    sentence: str
    seconds: float = 0.0
    address: str = ""
    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def classify_rejection(source: int, reason: int) -> tuple[Outcome, str]:
    """Return what an A-ASSOCIATE-RJ means, and its reason in words.

    Examples
    --------
    >>> classify_rejection(1, 7)[0]
    <Outcome.WRONG_CALLED: 'wrong-called-ae'>
    >>> classify_rejection(1, 1)
    (<Outcome.REJECTED: 'rejected'>, 'no reason was given')
    """
    if reason == 1 and source in (1, 2):
        return Outcome.REJECTED, "no reason was given"
    unnamed = f"with reason {reason} of source {source}, which DICOM does not name"
    return REJECTIONS.get((source, reason), (Outcome.REJECTED, unnamed))
