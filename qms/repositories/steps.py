"""How the steps of a scan are done: by a job, where each counts once, or at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlmodel import Session

from core.db import Database

JsonDict = dict[str, Any]


class Steps(Protocol):
    """How the steps of a scan are done and told: by a job, or at once."""

    def step(self, name: str, fn: Callable[[Session], JsonDict], /) -> JsonDict:
        """Do `fn` in a transaction of its own."""

    def progress(self, done: int, total: int, text: str, /) -> None:
        """Tell how far the scan is; a total of 0 is unknown."""


@dataclass(frozen=True)
class AtOnce:
    """Steps for a scan outside the worker: each in a transaction of `db`."""

    db: Database
    tell: Callable[[int, int, str], None]

    def step(self, _name: str, fn: Callable[[Session], JsonDict], /) -> JsonDict:
        """Do `fn` in a transaction of its own."""
        with self.db.writing() as session:
            return fn(session)

    def progress(self, done: int, total: int, text: str, /) -> None:
        """Pass the progress on."""
        self.tell(done, total, text)
