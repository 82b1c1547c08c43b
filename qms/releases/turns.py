"""Whose turn it is with a release that is ready to be signed: who submits it, who signs next."""

from dataclasses import dataclass

from sqlmodel import Session

from core.people.actor import Actor
from core.people.service import holders
from core.records.lifecycle import DRAFT, IN_REVIEW
from core.records.models import Project
from core.records.snapshot import RecordView
from core.records.type_shape import RecordType
from core.records.types import get_registry


@dataclass(frozen=True)
class Turn:
    """The next act on the way into force.

    Attributes
    ----------
    act : str
        In words, for a button: "Sign as reviewed".
    mine : bool
        Whether the person reading may do it.
    told : str
        Who may, as a sentence.
    """

    act: str
    mine: bool
    told: str


def turn_of(session: Session, project: Project, release: RecordView, reader: Actor) -> Turn | None:
    """Return whose turn it is; None for what is neither a draft nor in review."""
    kind, number = get_registry().of(release.type), project.id or 0
    authors = {release.author_uid, *release.co_authors}
    if release.state == DRAFT:
        mine = reader.uid in authors and reader.has(number, *kind.authors)
        others = _listed([role.replace("_", " ") for role in _roles_after(kind, "authored")])
        after = f"; after that it waits for the {others}" if others else ""
        told = f"{release.author} wrote it and submits it{after}."
        return Turn("Submit for signatures", mine, told)
    meaning = _next_meaning(kind, release)
    if release.state != IN_REVIEW or not meaning:
        return None
    roles = _signers(kind)[meaning]
    people = {
        person.uid: person.name
        for role in roles
        for person in holders(session, role, number)
        if person.uid not in authors
    }
    asked = " or ".join(role.replace("_", " ") for role in roles)
    names = _listed(sorted(people.values()), "or") or "nobody holds that role and may sign"
    told = f"Waits for the {asked} to sign as {meaning}: {names}."
    own = [
        role for role in roles if reader.has(number, role) and _may(reader, number, role, authors)
    ]
    return Turn(f"Sign as {meaning}", reader.uid in people and bool(own), told)


def freezing_turn(session: Session, project: Project, release: RecordView) -> str:
    """Say who freezes the baseline of a draft: its author, or whoever else may write a release."""
    kind = get_registry().of(release.type)
    names = {p.name for role in kind.authors for p in holders(session, role, project.id or 0)}
    others = sorted(names - {release.author})
    told = f"{release.author}, who wrote this release, freezes it"
    return f"{told}; {_listed(others, 'or')} may as well." if others else f"{told}."


def _may(reader: Actor, project: int, role: str, authors: set[str]) -> bool:
    lent = reader.deputy_for(project, role)
    return lent is None or lent.uid not in authors


def _next_meaning(kind: RecordType, release: RecordView) -> str:
    given = {
        one.meaning for one in release.signatures if one.envelope_digest == release.envelope_digest
    }
    return next((meaning for meaning in _signers(kind) if meaning not in given), "")


def _roles_after(kind: RecordType, first: str) -> list[str]:
    return [" or ".join(roles) for meaning, roles in _signers(kind).items() if meaning != first]


def _signers(kind: RecordType) -> dict[str, tuple[str, ...]]:
    """Return who may give each signature, in the order in which they are given."""
    asked = {str(meaning): roles for meaning, roles in kind.sign.items()}
    return {meaning: asked[meaning] for meaning in kind.meanings}


def _listed(words: list[str], last: str = "and") -> str:
    """Return words as a sentence lists them.

    Examples
    --------
    >>> _listed(["reviewer", "safety officer", "quality manager"])
    'reviewer, safety officer and quality manager'
    """
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if words[1:] else "".join(words)
