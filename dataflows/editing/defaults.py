"""What the quick ways of describing a map fill in: numbers, the mode, the group, the day."""

import difflib
import re
from collections.abc import Iterable, Mapping

from sqlmodel import Session, col, select

from core.clock import now
from core.people.actor import Actor
from core.records.content import Content, LinkDraft
from core.records.models import Project, Record, Revision
from core.records.service import next_uid
from core.records.type_shape import RecordType

MODE_OF: Mapping[str, str] = {
    "automatic": "push",
    "scheduled": "push",
    "query": "pull",
    "manual": "manual",
}
"""How data moves when it is only known who starts it: a query is answered to whoever asks."""

NAMED = ("system", "pathway")
"""Types whose ids are words of the department (TPS.DICOM) or short, not the next of a series."""


def today() -> str:
    """Return the day that a survey stated now was made on."""
    return now().date().isoformat()


def staff_group_of(session: Session, by: Actor) -> str:
    """Return the group that a person's own record states; empty where it states none."""
    fields = session.exec(
        select(Revision.fields)
        .join(Record, col(Record.latest_id) == col(Revision.id))
        .where(
            col(Record.type) == "person",
            col(Record.uid) == by.uid,
            col(Record.withdrawn_at).is_(None),
        )
    ).all()
    return next((str(one["staff_group"]) for one in fields if one.get("staff_group")), "")


def title_of(data_types: Iterable[str], source: str, target: str) -> str:
    """Return what a connection is called that nobody gave a name."""
    return f"{', '.join(data_types)} from {source} to {target}"[:500]


def ends(source: str, target: str) -> tuple[LinkDraft, LinkDraft]:
    """Return the links of a connection to its two systems."""
    return LinkDraft("from_system", source), LinkDraft("to_system", target)


def end_of(content: Content, role: str) -> str:
    """Return the system at one end of a connection; empty where none is stated."""
    return next((link.target for link in content.links if link.role == role), "")


MOST_GUESSES = 50
"""Names of one table for which a near one is looked up; among ten thousand systems each takes
hundredths of a second."""


class Series:
    """Gives the next ids of a type: C092 where the map has C001 to C091.

    Records withdrawn or discarded keep theirs, so a number is given once.
    """

    def __init__(self, session: Session, project: Project, record_type: RecordType) -> None:
        self._session, self._project, self._type = session, project, record_type
        uids = session.exec(
            select(Record.uid).where(
                col(Record.project_id) == project.id, col(Record.type) == record_type.name
            )
        ).all()
        pattern = re.compile(rf"{re.escape(record_type.prefix)}(\d{{1,9}})")
        numbers = [found.group(1) for uid in uids if (found := pattern.fullmatch(uid))]
        dashed = any(uid.startswith(f"{record_type.prefix}-") for uid in uids)
        self._plain = bool(numbers) or not (dashed or record_type.name in NAMED)
        self._width = max((len(one) for one in numbers), default=3)
        self._last = max(map(int, numbers), default=0)

    def next(self, taken: Iterable[str] = ()) -> str:
        """Return an id that nothing has, not even those given besides."""
        others = set(taken)
        while True:
            if self._plain:
                self._last += 1
                uid = f"{self._type.prefix}{self._last:0{self._width}d}"
            else:
                uid = next_uid(self._session, self._project, self._type)
            if uid not in others:
                return uid


class Systems:
    """The systems of a map, found by what a person types: the id, or the whole name."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self.titles = titles
        self._told: dict[str, str] = {}
        self._by_id = {uid.casefold(): uid for uid in titles}
        self._by_title: dict[str, list[str]] = {}
        for uid, title in titles.items():
            self._by_title.setdefault(title.strip().casefold(), []).append(uid)

    def find(self, typed: str) -> str | None:
        """Return the id that is meant; None where nothing, or more than one, is."""
        word = typed.strip().casefold()
        if word in self._by_id:
            return self._by_id[word]
        named = self._by_title.get(word, [])
        return named[0] if len(named) == 1 else None

    def near(self, typed: str) -> str:
        """Return a sentence that names what may be meant; empty where nothing is near."""
        word = typed.strip().casefold()
        named = self._by_title.get(word, [])
        if len(named) > 1:
            return f"Several systems are called so: {', '.join(named)}; write the id."
        if word not in self._told and len(self._told) < MOST_GUESSES:
            self._told[word] = self._guess(word)
        return self._told.get(word, "")

    def _guess(self, word: str) -> str:
        known = {**self._by_title, **{key: [uid] for key, uid in self._by_id.items()}}
        found = difflib.get_close_matches(word, known, 1, 0.6)
        if not found:
            return ""
        uid = known[found[0]][0]
        return f"Did you mean {uid} ({self.titles[uid]})?"


def uid_from(name: str) -> str:
    """Return an id for a system that a person only named.

    Examples
    --------
    >>> uid_from("PACS.ARC"), uid_from("film scanner 2"), uid_from("3D printer")
    ('PACS.ARC', 'FILM-SCANNER-2', 'SYS-3D-PRINTER')
    """
    if re.fullmatch(r"[A-Z][A-Za-z0-9._-]{0,63}", name):
        return name
    plain = re.sub(r"[^A-Z0-9._]+", "-", name.upper()).strip("-._")[:60] or "SYSTEM"
    return plain if plain[0].isalpha() else f"SYS-{plain}"
