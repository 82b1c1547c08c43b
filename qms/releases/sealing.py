"""Seal a release in Git: write where its record stood onto its commit, and hold that against it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from shlex import quote

from sqlalchemy import select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Conflict, Fault, FiducialError, Invalid, Refused
from core.ledger import append
from core.ledger.chain import head
from core.ledger.models import LedgerEntry
from core.ledger.verify import Anchor, verify_chain
from core.people.actor import Actor
from core.records.models import Project
from core.records.snapshot import RecordView
from core.signing.keys import PublicKey, SigningKey
from qms.baselines.current import project_snapshot
from qms.baselines.service import find_baseline, verify_baseline
from qms.releases.elsewhere import SEALED, sealed_elsewhere
from qms.releases.gathering import find_release
from qms.releases.seals import Seal, is_seal, read_seal
from qms.releases.service import PACK_ROLES
from qms.repositories.mirror import NOTES_REF, object_name
from qms.repositories.sealed import Workplace, messages_at, tag_fault
from qms.repositories.service import mirror_holding

NOTES = "notes"
"""How the notes of a repository are named where a tag could be."""


@dataclass(frozen=True)
class Sealed:
    """A seal that was written, or found as it would be written.

    Attributes
    ----------
    elsewhere : bool
        Whether the installation that the project came from wrote it.
    """

    seal: Seal
    place: str
    new: bool
    elsewhere: bool = False


def seal_release(
    session: Session,
    project: Project,
    name: str,
    workplace: Workplace,
    tag: str | None,
    key: SigningKey,
    by: Actor,
) -> Sealed:
    """Write a release's seal onto its commit, as a tag, or as a note where `tag` is None.

    Raises
    ------
    Refused
        If the person may not.
    Invalid
        With everything that keeps the release from being sealed there.
    Conflict
        If the tag or note is there with other content.
    """
    if not by.has(project.id or 0, *PACK_ROLES):
        raise Refused(f"{by.name} may not seal a release of {project.key}.")
    release = find_release(project_snapshot(session, project), project.key, name)
    tag = default_tag(release) if tag == "" else tag
    faults = [*_faults(session, project, release, workplace), *_tag_faults(tag)]
    if faults:
        raise Invalid(f"{release.key.uid} was not sealed.", faults)
    seal = _made(session, project, release, key)
    _must_be_readable(seal)
    place = NOTES_REF if tag is None else f"refs/tags/{tag}"
    known = _known(workplace, tag, seal.commit)
    if known is not None:
        elsewhere = _must_agree(session, project, known, seal, place, key.public)
        return Sealed(read_seal(known[1], place), place, new=False, elsewhere=elsewhere)
    if tag is None:
        workplace.write_note(seal.commit, seal.text)
    else:
        workplace.write_tag(tag, seal.commit, seal.text, f"{by.name} ({by.uid})", now())
    append(
        session,
        SEALED,
        by,
        project_id=project.id,
        subject=release.key.uid,
        data={
            "ref": place, "repository": str(workplace.path), "commit": seal.commit,
            "root": seal.root, "seq": seal.seq, "head": seal.head, "key": seal.key,
        },
    )  # fmt: skip
    return Sealed(seal, place, new=True)


def default_tag(release: RecordView) -> str:
    """Return what the tag of a release's seal is called unless somebody says otherwise."""
    return f"sealed/{release.fields.get('version') or release.key.uid}"


def _tag_faults(tag: str | None) -> list[Fault]:
    fault = tag_fault(tag) if tag is not None else None
    return [fault] if fault else []


def _faults(
    session: Session, project: Project, release: RecordView, workplace: Workplace
) -> list[Fault]:
    uid, faults = release.key.uid, []
    if not release.in_force:
        faults.append(
            Fault("GIT14", uid, "is not signed.", "Seal it when every signature is given.")
        )
    commit = str(release.fields.get("commit") or "")
    root = str(release.fields.get("baseline") or "")
    if not root or not _intact(session, project, root):
        what = "names no baseline that is as it was frozen."
        faults.append(Fault("GIT15", uid, what, "Freeze its baseline."))
    try:
        object_name(commit)
    except Invalid:
        return [*faults, Fault("GIT16", uid, "names no full commit.", "Freeze its baseline.")]
    if not workplace.holds(commit):
        what = f"has no commit {commit[:12]}, which {uid} is made of."
        faults.append(Fault("GIT16", str(workplace.path), what, "Fetch it there first."))
    named = str(release.fields.get("git_tag") or "")
    found = workplace.tagged(named) if named and tag_fault(named) is None else None
    if found is not None and found[0] != commit:
        what = f"has the tag {named} at {found[0][:12]}; {uid} names {commit[:12]}."
        faults.append(Fault("GIT16", str(workplace.path), what, "Find out which one is right."))
    broken = verify_chain(session).findings
    if broken:
        what = f"does not verify: {broken[0]}"
        faults.append(Fault("GIT17", "audit trail", what, "Run fiducial audit verify."))
    return faults


def _intact(session: Session, project: Project, root: str) -> bool:
    try:
        return verify_baseline(session, find_baseline(session, project, root)).intact
    except FiducialError:
        return False


def _made(session: Session, project: Project, release: RecordView, key: SigningKey) -> Seal:
    baseline = find_baseline(session, project, str(release.fields["baseline"]))
    last = head(session)
    unsigned = Seal(
        product=project.key,
        release=release.key.uid,
        version=str(release.fields.get("version") or release.key.uid),
        commit=str(release.fields["commit"]),
        baseline=baseline.number,
        root=baseline.root,
        seq=last.seq,
        head=last.hash,
        key=key.fingerprint,
    )
    return replace(unsigned, signature=key.sign(unsigned.body.encode()))


def _must_be_readable(seal: Seal) -> None:
    """Refuse what could not be read back; a version is free text."""
    try:
        read_seal(seal.text, seal.release)
    except Invalid as error:
        mend = "Write it in printable characters, on one line, in another revision."
        faults = [replace(one, what="cannot stand in a seal.", mend=mend) for one in error.faults]
        raise Invalid(f"{seal.release} was not sealed.", faults) from error


def _known(workplace: Workplace, tag: str | None, commit: str) -> tuple[str, str] | None:
    if tag is not None:
        return workplace.tagged(tag)
    return next((one for one in workplace.notes() if one[0] == commit), None)


def _must_agree(
    session: Session,
    project: Project,
    known: tuple[str, str],
    seal: Seal,
    place: str,
    key: PublicKey,
) -> bool:
    """Refuse a tag or note that says anything else; say whether it came from elsewhere."""
    commit, text = known
    held = Held((f"names commit {commit[:12]}",))
    if commit == seal.commit:
        held = held_against(session, project, text, place, seal, key)
    if held.differing:
        differing = "; ".join(held.differing)
        raise Conflict(f"{place} is there already and {differing}; nothing was written over it.")
    return held.elsewhere


@dataclass(frozen=True)
class Held:
    """A seal in Git, held against the record.

    Attributes
    ----------
    differing : tuple of str
        In which ways it is not what the record says now; empty where it agrees.
    elsewhere : bool
        Whether the installation that the project came from wrote it, so that it saw that trail.
    """

    differing: tuple[str, ...] = ()
    elsewhere: bool = False


def held_against(
    session: Session, project: Project, text: str, place: str, expected: Seal, key: PublicKey
) -> Held:
    """Hold a seal in Git against what the record of a project says now."""
    try:
        found = read_seal(text, place)
    except Invalid:
        return Held(("is no seal of a release",))
    # A seal of our own key always answers to our own trail, whatever an entry of it says.
    elsewhere = found.key != key.fingerprint and sealed_elsewhere(session, project, found)
    if elsewhere:
        expected = replace(expected, key=found.key)
    told = []
    if found.bound != expected.bound:
        pairs = zip(found.body.split("\n"), expected.body.split("\n"), strict=True)
        lines = [f"{a} where the record says {b.partition(': ')[2]}" for a, b in pairs
                 if a != b and not a.startswith("ledger-")]  # fmt: skip
        told.append("says " + ", ".join(lines))
    elif not elsewhere and not found.signed_by(key.verifies):
        told.append("is not signed by the key of this installation")
    if not elsewhere:
        told += _beside_the_trail(session, found)
    return Held(tuple(told), elsewhere)


def _beside_the_trail(session: Session, found: Seal) -> list[str]:
    """Return in which way the audit trail is not the one that a seal saw."""
    hashed = session.scalar(select(col(LedgerEntry.hash)).where(col(LedgerEntry.seq) == found.seq))
    if hashed is None:
        return [f"saw entry {found.seq} of the audit trail, which has none: its end was cut"]
    if hashed != found.head:
        return [f"saw another entry {found.seq} of the audit trail: it was made anew"]
    return []


def anchors_in(place: str, data_dir: Path, key: PublicKey) -> list[tuple[Anchor, Seal]]:
    """Return what the seals at ``REPOSITORY@TAG`` or ``REPOSITORY@notes`` saw.

    Raises
    ------
    Invalid
        If there is no such repository or tag, or it holds no seal.
    Refused
        If the key of this installation did not sign one: it proves nothing then.
    """
    path, _, ref = place.rpartition("@")
    fault = tag_fault(ref)
    if fault:
        raise Invalid("This is no tag that could be sealed.", [fault])
    workplace = Workplace(path, data_dir, reading=True)
    if ref == NOTES:
        texts = [(f"the note of {commit[:12]}", text) for commit, text in workplace.notes()]
    else:
        tagged = workplace.tagged(ref)
        texts = [(ref, tagged[1])] if tagged else []
    if not texts:
        what, mend = f"has no {ref}.", "Name a tag, or notes for the notes of fiducial."
        raise Invalid("There is nothing to compare with.", [Fault("GIT18", path, what, mend)])
    found = []
    for source, text in texts:
        seal = read_seal(text, f"{path} {source}")
        if seal.key != key.fingerprint or not seal.signed_by(key.verifies):
            raise Refused(
                f"{source} of {path} is not signed by the key of this installation "
                f"({key.fingerprint[:12]}), so it proves nothing."
            )
        found.append((Anchor(seal.seq, seal.head, source), seal))
    return found


class Standing(StrEnum):
    """Where the seal of a release stands in the project's repositories."""

    OK = "ok"
    DIFFERS = "differs"
    MISSING = "not there yet"


@dataclass(frozen=True)
class SealStanding:
    """What the mirror says of a release's seal, and the command that writes it.

    Attributes
    ----------
    places : tuple of str
        The tags or notes that hold it.
    why : str
        In which way they differ.
    elsewhere : tuple of str
        Those of the places where the installation wrote it that the project came from.
    """

    word: Standing
    places: tuple[str, ...]
    why: str
    command: str
    elsewhere: tuple[str, ...] = ()

    @property
    def own(self) -> tuple[str, ...]:
        """The places where this installation wrote it."""
        return tuple(one for one in self.places if one not in self.elsewhere)


def seal_standing(
    session: Session, project: Project, release: RecordView, key: PublicKey | None
) -> SealStanding | None:
    """Return whether the mirror holds the seal of a signed release; None for any other."""
    commit, root = (str(release.fields.get(name) or "") for name in ("commit", "baseline"))
    if not release.in_force or not commit or not root or key is None:
        return None
    version = release.fields.get("version") or release.key.uid
    tag = default_tag(release)
    place = "--notes" if tag_fault(tag) else f"--tag {quote(tag)}"
    command = (
        f"fiducial git seal {quote(project.key)} --release {quote(release.key.uid)} {place} "
        "--repository PATH --as UID"
    )
    try:
        baseline = find_baseline(session, project, root)
        messages = messages_at(mirror_holding(session, project.key, commit), commit)
    except FiducialError:
        return SealStanding(Standing.MISSING, (), "", command)
    seals = {ref: text for ref, text in messages.items() if is_seal(text)}
    expected = Seal(
        project.key, release.key.uid, str(version), commit, baseline.number, baseline.root, 0, "",
        key.fingerprint,
    )  # fmt: skip
    mine = {ref: text for ref, text in seals.items() if _about(text, expected)}
    if not mine:
        return SealStanding(Standing.MISSING, (), "", command)
    held = {
        _short(ref): held_against(session, project, text, ref, expected, key)
        for ref, text in mine.items()
    }
    why = [f"{place} {what}" for place, one in held.items() for what in one.differing]
    return SealStanding(
        Standing.DIFFERS if why else Standing.OK,
        tuple(held),
        "; ".join(why),
        command,
        tuple(place for place, one in held.items() if one.elsewhere),
    )


def _about(text: str, expected: Seal) -> bool:
    """Whether a seal means this release; one that cannot be read may."""
    try:
        found = read_seal(text, "")
    except Invalid:
        return True
    return (found.product, found.release) == (expected.product, expected.release)


def _short(ref: str) -> str:
    return ref.removeprefix("refs/tags/")
