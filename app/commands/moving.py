"""What moves a whole project, with its history, to another installation."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app.commands.console import WITH_FAULTS, acting, installation, say, tell
from core.errors import Invalid

if TYPE_CHECKING:
    from core.archive.bringing import Brought
    from core.archive.writing import Exported

MOST_TOLD = 20


def export_projects(keys: Sequence[str], output: Path) -> None:
    """Write projects into one archive; exit 3 when made, but something in it is damaged."""
    from app.carrying import CARRYING
    from app.schema import newest
    from core.archive.writing import export_projects as write

    if output.suffix != ".zip":
        raise Invalid(f"{output.name} does not end in .zip, and an archive is one.")
    with installation() as opened:
        made = write(opened.database, opened.settings, CARRYING, keys, output, newest())
    for line in _exported_lines(made):
        tell(line)
    raise typer.Exit(WITH_FAULTS if made.faults else 0)


def _exported_lines(made: "Exported") -> list[str]:
    from core.signing.keys import print_fingerprint

    rows = made.rows
    lines = [
        f"{made.path} holds {' and '.join(made.projects)}: {rows['record']} records in "
        f"{rows['revision']} revisions, {rows['signature']} signatures, {rows['baseline']} "
        f"baselines, {rows['validation_run']} runs, {made.files} files.",
        f"SHA-256 {made.sha256}",
        f"Signed by the key {print_fingerprint(made.fingerprint)}."
        if made.fingerprint
        else "This installation has no key, so nobody can tell who made it.",
    ]
    lines += [
        f"It links to records of {one}, which is not in it: it is imported where {one} is, or "
        f"export both with --from {one}."
        for one in made.needs
    ]
    if made.faults:
        lines.append("Already wrong in this installation, so that it is refused elsewhere:")
    lines += [f"  {one}" for one in made.faults[:MOST_TOLD]]
    if len(made.faults) > MOST_TOLD:
        lines.append(f"  and {len(made.faults) - MOST_TOLD} more ('fiducial audit verify').")
    return lines


def import_archive(
    path: Path,
    person: str,
    key: Path | None,
    same_people: Sequence[str],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring the projects of an archive here: all of it or nothing."""
    from app.carrying import CARRYING
    from app.schema import newest
    from core.archive.bringing import Wish, import_projects
    from core.signing.keys import read_public_key

    trusted = read_public_key(key) if key is not None else None
    wish = Wish(dry_run, trusted, same_people)
    with installation() as opened:
        by = acting(opened, person)
        made = import_projects(opened.database, opened.settings, CARRYING, path, newest(), by, wish)
    say(made.to_json(), as_json, "\n".join(_brought_lines(made)))


def _brought_lines(made: "Brought") -> list[str]:
    from core.signing.keys import print_fingerprint

    verb = "came" if made.kept else "would come"
    rows = made.rows
    lines = [
        f"{' and '.join(made.projects)} {verb} with {rows.get('record', 0)} records in "
        f"{rows.get('revision', 0)} revisions, {rows.get('signature', 0)} signatures, "
        f"{rows.get('baseline', 0)} baselines, {rows.get('validation_run', 0)} runs, "
        f"{made.files} files and {made.entries} entries of the audit trail.",
        f"Archive {made.archive}, made {made.made_at}.",
    ]
    if not made.signer:
        lines.append("Nobody signed it: that it is intact says nothing about who made it.")
    else:
        whose = "the key you gave" if made.trusted else "a key nobody vouched for; compare it"
        lines.append(f"Signed by {print_fingerprint(made.signer)}, {whose}.")
    lines.append("Every digest, signature, baseline and piece of evidence was computed again.")
    if made.people_made:
        told = "are new here and cannot sign in until an administrator gives them a password"
        lines.append(f"{', '.join(made.people_made)} {told}.")
    return [*lines, *made.notes]
