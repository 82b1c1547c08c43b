"""Passwords: chosen, hashed and compared. One hash costs about 0.3 s of a processor on purpose.

Nothing here takes a database session. A hash that is computed inside a writing transaction makes
every other writer wait for it, so callers hash first and open the transaction afterwards.
"""

import secrets
from dataclasses import dataclass
from functools import lru_cache

from pwdlib import PasswordHash

from core.errors import Fault

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200
"""Above this, hashing would cost more than any person types."""


@lru_cache
def hasher() -> PasswordHash:
    """Return what hashes passwords, as argon2 recommends."""
    return PasswordHash.recommended()


@dataclass(frozen=True)
class ChosenPassword:
    """A password that somebody chose: its hash, or what is wrong with it."""

    hash: str
    faults: tuple[Fault, ...] = ()


def choose(password: str) -> ChosenPassword:
    """Hash a password for keeping; one that cannot be used is not hashed."""
    faults = _faults(password)
    return ChosenPassword("", faults) if faults else ChosenPassword(hasher().hash(password))


def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the one of a stored hash.

    Without a stored hash the answer is no and takes as long, so that nobody learns by the clock
    which names have an account.
    """
    # Made for known and unknown names alike: the first of either pays for it.
    nobody = _nobody()
    good = hasher().verify(password[:LONGEST_PASSWORD], stored or nobody)
    return good and stored is not None


@lru_cache
def _nobody() -> str:
    return hasher().hash(secrets.token_urlsafe(16))


def _faults(password: str) -> tuple[Fault, ...]:
    if len(password) < SHORTEST_PASSWORD:
        return (
            Fault(
                "password",
                "password",
                f"has {len(password)} characters.",
                f"Use at least {SHORTEST_PASSWORD}; a sentence is easy to remember.",
            ),
        )
    if len(password) > LONGEST_PASSWORD:
        return (Fault("password", "password", "is too long.", f"Use at most {LONGEST_PASSWORD}."),)
    return ()
