"""Our own lock file and register, and ways to seed a drift in either."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from qms.interchange.markdown.folder import read_folder
from qms.soup.comparison import Comparison, Held, compare
from qms.soup.components import Bill
from qms.soup.locks import read_lock
from qms.soup.markers import this_machine

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "requirements.lock"
REGISTER = ROOT / "docs" / "record"
PROJECT = "FID"
TODAY = date(2026, 11, 21)
HELD = Held(TODAY, 180)
PYTHON = "3.11.9"
"""Our register is that of Python 3.11; the lock pins other versions for later ones."""


@dataclass
class Register:
    """A register as it is once it is approved, open to change."""

    records: dict[Key, RecordView]
    links: list[LinkView]

    def fill(self, uid: str, **fields: Any) -> None:
        """Change fields of one record."""
        key = Key(PROJECT, uid)
        self.records[key] = replace(
            self.records[key], fields={**self.records[key].fields, **fields}
        )

    def add(self, type_: str, uid: str, **fields: Any) -> Key:
        """Add a record in force."""
        key = Key(PROJECT, uid)
        self.records[key] = RecordView(
            key, type_, title=str(fields.pop("title", uid)), fields=fields, state="approved"
        )
        return key

    def link(self, source: str, role: str, target: str) -> None:
        """Add a link."""
        self.links.append(LinkView(role, Key(PROJECT, source), Key(PROJECT, target), {}))

    def named(self, name: str) -> str:
        """Return the uid of a component."""
        return next(
            key.uid for key, one in self.records.items() if one.type == "soup" and one.title == name
        )

    def compare(self, bill: Bill, held: Held = HELD) -> Comparison:
        """Hold a source against it."""
        return compare(bill, Snapshot(self.records.values(), self.links), PROJECT, held)


def own_register(evaluated: bool) -> Register:
    """Return our own register; with `evaluated` as if every list had been read today."""
    register = Register({}, [])
    for one in read_folder(REGISTER).records:
        if one.type not in ("soup", "software_item"):
            continue
        fields = dict(one.content.fields)
        if evaluated and one.type == "soup":
            fields["evaluated_on"] = TODAY.isoformat()
        title = one.content.title
        register.records[one.key] = RecordView(
            one.key, one.type, title, fields=fields, state="approved"
        )
        register.links += [
            LinkView(link.role, one.key, Key(PROJECT, link.target), dict(link.attributes))
            for link in one.content.links
            if link.role == "uses"
        ]
    return register


@pytest.fixture
def register() -> Register:
    return own_register(evaluated=True)


@pytest.fixture(scope="session")
def lock_text() -> str:
    return LOCK.read_text(encoding="utf-8")


def read(text: str, python: str = PYTHON) -> Bill:
    """Read the text of a lock file as one for a Python."""
    return read_lock(text.encode(), "requirements.lock", this_machine(python))
