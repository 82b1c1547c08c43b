"""The same items and links as four tools keep them: Fiducial, Doorstop, StrictDoc, Sphinx-Needs.

Four levels with four links an item into the level above, as a department would have them: needs,
requirements, designs and tests.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from git import Repo

from core.records.content import Content, LinkDraft
from core.records.types import get_registry
from qms.interchange.markdown.folder import write_folder
from qms.interchange.markdown.record_file import RecordFile

LEVELS = {"UN": 0.10, "REQ": 0.25, "DES": 0.30, "TST": 0.35}
"""What share of the items each level has, from the top down."""

LINKS = 4
PER_FILE = 250
"""Items of one file, where a format holds several."""

TEXT = "The dose of every plan is computed again. A physicist reads the result before treatment."
ROLES = {"REQ": "derives_from", "DES": "satisfies", "TST": "verifies"}
TYPES = {"UN": "user_need", "REQ": "requirement", "DES": "design", "TST": "test"}
ABOVE = {"REQ": "UN", "DES": "REQ", "TST": "REQ"}
"""A test verifies requirements; a design satisfies them."""


@dataclass(frozen=True)
class Thing:
    """One item: its level, its number there, and what it links to in the level above."""

    level: str
    number: int
    above: tuple[str, ...]

    @property
    def uid(self) -> str:
        """The id, as UN-00001."""
        return f"{self.level}-{self.number:05d}"


def things(size: int) -> list[Thing]:
    """Return as many items as asked for, the same each time."""
    chance = random.Random(7)
    names: dict[str, list[str]] = {}
    found = []
    for level, share in LEVELS.items():
        numbers = range(1, round(size * share) + 1)
        for number in numbers:
            above = names.get(ABOVE.get(level, ""), [])
            found.append(Thing(level, number, tuple(chance.sample(above, min(LINKS, len(above))))))
        names[level] = [f"{level}-{number:05d}" for number in numbers]
    return found


def write_ours(folder: Path, items: Sequence[Thing]) -> None:
    """Write one Markdown file an item."""
    write_folder(folder, (_record(one) for one in items), get_registry())


def _record(one: Thing) -> RecordFile:
    links = tuple(LinkDraft(ROLES[one.level], uid) for uid in one.above)
    return RecordFile("BIG", TYPES[one.level], one.uid, Content(one.uid, TEXT, {}, links))


def write_doorstop(folder: Path, items: Sequence[Thing]) -> None:
    """Write one YAML file an item, in a Git repository, which Doorstop asks for."""
    for level in LEVELS:
        document = folder / level
        document.mkdir(parents=True)
        parent = f"\n  parent: {ABOVE[level]}" if level in ABOVE else ""
        document.joinpath(".doorstop.yml").write_text(
            f"settings:\n  digits: 5\n  prefix: {level}{parent}\n  sep: '-'\n"
        )
    for one in items:
        links = "".join(f"\n- {uid}: null" for uid in one.above) or " []"
        folder.joinpath(one.level, f"{one.uid}.yml").write_text(
            f"active: true\nderived: false\nheader: ''\nlevel: 1.{one.number}\nlinks:{links}\n"
            f"normative: true\nref: ''\nreviewed: null\ntext: |\n  {TEXT}\n"
        )
    Repo.init(folder)


def _files(items: Sequence[Thing]) -> Iterator[tuple[str, list[Thing]]]:
    for level in LEVELS:
        own = [one for one in items if one.level == level]
        for start in range(0, len(own), PER_FILE):
            yield f"{level}_{start // PER_FILE:03d}", own[start : start + PER_FILE]


def write_strictdoc(folder: Path, items: Sequence[Thing]) -> None:
    """Write StrictDoc documents of some items each."""
    folder.mkdir()
    for name, own in _files(items):
        parts = [f"[DOCUMENT]\nTITLE: {name}\n"]
        for one in own:
            links = "".join(f"\n- TYPE: Parent\n  VALUE: {uid}" for uid in one.above)
            parts.append(
                f"[REQUIREMENT]\nUID: {one.uid}\nTITLE: {one.uid}\n"
                f"STATEMENT: >>>\n{TEXT}\n<<<" + (f"\nRELATIONS:{links}" if links else "") + "\n"
            )
        folder.joinpath(f"{name}.sdoc").write_text("\n".join(parts))


def write_needs(folder: Path, items: Sequence[Thing]) -> None:
    """Write reStructuredText with one directive an item, and the settings of Sphinx."""
    folder.mkdir()
    kinds = ", ".join(
        f"{{'directive': '{level.lower()}', 'title': '{level}', 'prefix': '{level}-', "
        "'color': '#fff', 'style': 'node'}"
        for level in LEVELS
    )
    folder.joinpath("conf.py").write_text(
        f"extensions = ['sphinx_needs']\nneeds_types = [{kinds}]\n"
        "needs_id_regex = '^[A-Z]+-[0-9]+$'\n"
    )
    names = []
    for name, own in _files(items):
        names.append(name)
        parts = [f"{name}\n{'=' * len(name)}\n"]
        for one in own:
            links = f"\n   :links: {', '.join(one.above)}" if one.above else ""
            parts.append(
                f".. {one.level.lower()}:: {one.uid}\n   :id: {one.uid}{links}\n\n   {TEXT}\n"
            )
        folder.joinpath(f"{name}.rst").write_text("\n".join(parts))
    listed = "\n   ".join(names)
    folder.joinpath("index.rst").write_text(f"All\n===\n\n.. toctree::\n\n   {listed}\n")
