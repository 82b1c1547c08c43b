"""The command that seals a release in Git, and what other commands read back from there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import AsJson, AsPerson, acting, installation, say
from core.errors import Fault, Invalid

if TYPE_CHECKING:
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
    text = (
        f"{one.release} {word} at {made.place} of {workplace.path}: commit {one.commit}, baseline "
        f"{one.baseline} with root {one.root}, entry {one.seq} of the audit trail. "
        f"Push it: git push origin {made.place}"
    )
    told = {"ref": made.place, "new": made.new, "repository": str(workplace.path)}
    say(told | {name: value for name, value in vars(one).items() if name != "signature"},
        as_json, text)  # fmt: skip


def seen_outside(against: str, data_dir: Path) -> tuple["Anchor", ...]:
    """Return what a pack, or the seals at ``REPOSITORY@TAG``, saw of the audit trail."""
    from core.ledger.verify import Anchor
    from validation.verify.ledger import ledger_of

    if not against:
        return ()
    pack = Path(against)
    if pack.is_file() or "@" not in against:
        head = ledger_of(pack)["head"]
        return (Anchor(int(head["seq"]), str(head["hash"]), pack.name),)
    return tuple(anchor for anchor, _ in seals_at(against, data_dir))


def seals_at(against: str, data_dir: Path) -> list[tuple["Anchor", "Seal"]]:
    """Return the seals at ``REPOSITORY@TAG`` or ``REPOSITORY@notes``."""
    from core.signing.keys import load_key
    from qms.releases.sealing import anchors_in

    return anchors_in(against, data_dir, load_key(data_dir).public)
