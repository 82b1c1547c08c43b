"""The command that seals a release in Git, and what other commands read back from there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import AsJson, AsPerson, acting, installation, say
from core.errors import Fault, Invalid, Refused

if TYPE_CHECKING:
    from sqlmodel import Session

    from core.ledger.verify import Anchor
    from qms.releases.seals import Seal


def seal(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")],
    release: Annotated[str, typer.Option(help="Version or id of the release.")],
    repository: Annotated[str, typer.Option(help="Working repository that is written to.")],
    person: AsPerson,
    tag: Annotated[str, typer.Option(help="Annotated tag; sealed/VERSION if not given.")] = "",
    notes: Annotated[
        bool, typer.Option(help="Write a note to refs/notes/fiducial instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write baseline and end of the audit trail onto a signed release's commit; pushes nothing."""
    from core.records.service import find_project
    from core.signing.keys import load_key
    from qms.releases.sealing import seal_release
    from qms.repositories.sealed import Workplace

    if tag and notes:
        fault = Fault("GIT12", "--tag", "stands beside --notes.", "Give one of them.")
        raise Invalid("Nothing was sealed.", [fault])
    with installation() as opened:
        by = acting(opened, person)
        data_dir = opened.settings.data_dir
        workplace, key = Workplace(repository, data_dir), load_key(data_dir)
        with opened.database.writing() as session:
            project = find_project(session, project_key)
            made = seal_release(
                session, project, release, workplace, None if notes else tag, key, by
            )
    one = made.seal
    word = "is sealed" if made.new else "was sealed already"
    whose = " of the installation that it came from" if made.elsewhere else ""
    text = (
        f"{one.release} {word} at {made.place} of {workplace.path}: commit {one.commit}, baseline "
        f"{one.baseline} with root {one.root}, entry {one.seq} of the audit trail{whose}. "
        f"Push it: git push origin {made.place}"
    )
    told = {"ref": made.place, "new": made.new, "repository": str(workplace.path)}
    say(told | {name: value for name, value in vars(one).items() if name != "signature"},
        as_json, text)  # fmt: skip


def seen_outside(session: "Session", against: str, data_dir: Path) -> tuple["Anchor", ...]:
    """Return what a pack, or the seals at ``REPOSITORY@TAG``, saw of the audit trail.

    Raises
    ------
    Refused
        If it is of another installation, whose trail is not the one here.
    """
    if not against:
        return ()
    pack = Path(against)
    if pack.is_file() or "@" not in against:
        return (_seen_by(session, pack, data_dir),)
    return tuple(anchor for anchor, _ in seals_at(against, data_dir))


def _seen_by(session: "Session", pack: Path, data_dir: Path) -> "Anchor":
    from sqlmodel import col, select

    from core.ledger.brought import arrivals_from
    from core.ledger.models import LedgerEntry
    from core.ledger.verify import Anchor
    from core.signing.keys import has_key, load_key
    from validation.verify.ledger import head_seen_by

    seen = head_seen_by(pack)
    ours = load_key(data_dir).fingerprint if has_key(data_dir) else ""
    here = session.exec(select(LedgerEntry.hash).where(col(LedgerEntry.seq) == seen.seq)).first()
    # A key may have been lost and made anew: what its packs saw is still there then.
    if ours not in seen.signers and here != seen.hash:
        whose = ", ".join(one[:16] for one in seen.signers)
        came = " and ".join(arrivals_from(session, seen.signers))
        told = (
            f"It is of the installation that {came} came from; compare it there."
            if came
            else "Compare it where it was built. If that was here, both the key and the trail are "
            "not what they were."
        )
        raise Refused(
            f"{pack.name} is signed by the key {whose}, not by the one of this installation, and "
            f"entry {seen.seq} of the audit trail here is not the one that it saw. {told}"
        )
    return Anchor(seen.seq, seen.hash, pack.name)


def seals_at(against: str, data_dir: Path) -> list[tuple["Anchor", "Seal"]]:
    """Return the seals at ``REPOSITORY@TAG`` or ``REPOSITORY@notes``."""
    from core.signing.keys import load_key
    from qms.releases.sealing import anchors_in

    return anchors_in(against, data_dir, load_key(data_dir).public)
