"""Everything that can be refused, in the product's own words and without HTTP.

::

    FiducialError
    ├── NotFound            there is no such thing
    │   └── Hidden          there is, but this person may not know of it
    ├── Unauthenticated     nobody is signed in, or the password is wrong
    ├── TooManyAttempts     wait before the next try
    ├── Refused             signed in, but a rule or a missing role forbids it
    ├── Conflict            someone else was first, or the thing is in another state
    └── Invalid             the input is wrong; carries every fault found, not the first
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input.

    Attributes
    ----------
    code : str
        Stable name of the kind of fault, e.g. "unknown-field".
    where : str
        The record, file or field.
    what : str
        What is wrong, as a sentence.
    mend : str
        What to do about it, as a sentence.
    """

    code: str
    where: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}{' ' if self.mend else ''}{self.mend}"


class FiducialError(Exception):
    """Anything that the product refuses, with a sentence a person can act on."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(FiducialError):
    """There is no such thing, or this person may not know of it."""


class Hidden(NotFound):
    """It exists, but not for this person: told as if it did not, and kept in the audit trail."""


class Unauthenticated(FiducialError):
    """Nobody is signed in, or a password was wrong."""


class TooManyAttempts(FiducialError):
    """Too many tries in a short time.

    Attributes
    ----------
    retry_after_s : int
        When the next try is welcome, in seconds.
    """

    def __init__(self, message: str, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Refused(FiducialError):
    """The person is known, but a rule or a missing role forbids what they asked for."""


class Conflict(FiducialError):
    """Someone else was first, or the thing is no longer in the state that was assumed."""


class Invalid(FiducialError):
    """The input is wrong; every fault is listed."""

    def __init__(self, message: str, faults: Iterable[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {fault}" for fault in self.faults)])
