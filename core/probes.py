"""What is asked of a DICOM listener and what was found out: the values of `ports.prober`. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeQuestion:
    """One association as it is modelled: what it is for, who asks and who listens.

    Attributes
    ----------
    role : str
        store, query, request, store-suboperation or work-item.
    service : str
        The service as the survey names it.
    data_types : tuple of str
        What the connection carries, by the names of the survey.
    """

    role: str
    service: str
    data_types: tuple[str, ...]
    calling_ae: str
    called_ae: str
    host: str
    port: int
    tls: bool = False


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What was found out, in a stable word and in a sentence.

    Attributes
    ----------
    outcome : str
        "ok", "wrong-called-ae", "wrong-calling-ae", "unreachable", "object-class-refused", or a
        word for what fits none of these.
    took_ms : int
        How long it took.
    address : str
        The address that was asked; empty where none was.
    accepted, refused : tuple of str
        Names of the object classes that the listener took, and of those it did not.
    tool : str
        What asked, with its version.
    """

    outcome: str
    sentence: str
    took_ms: int
    address: str
    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    tool: str
