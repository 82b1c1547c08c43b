"""Records as files: checked where they lie, and brought back as proposals."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import AsJson, acting, installation, say
from core.errors import Invalid

if TYPE_CHECKING:
    from app.reading import Source

records = typer.Typer(help="Records as files.", no_args_is_help=True)


@records.command("check")
def check_records(
    folder: Annotated[Path, typer.Argument(help="Records as Markdown.")],
    as_json: AsJson = False,
) -> None:
    """Check a folder of records without an installation; exit 1 when something is wrong."""
    from app.tables import prepare
    from core.records.types import get_registry
    from qms.interchange.markdown.checking import check_folder
    from qms.interchange.markdown.folder import read_folder

    prepare()
    found = read_folder(folder)
    faults = check_folder(found, get_registry())
    told = [
        {"code": one.code, "where": one.where, "what": one.what, "mend": one.mend} for one in faults
    ]
    lines = [f"{one.code} {one}" for one in faults]
    lines.append(f"{len(found.records)} records, {len(faults)} faults.")
    say({"records": len(found.records), "faults": told}, as_json, "\n".join(lines))
    if not found.records and not faults:
        raise Invalid(f"{folder} holds no record; nothing was checked.")
    raise typer.Exit(1 if faults else 0)


def propose_records(sources: "Sequence[Source]", person: str, dry_run: bool, as_json: bool) -> None:
    """Bring folders of records back: drafts of what is new and what was edited, or tell only."""
    from core.records.service import find_project
    from core.records.types import get_registry
    from qms.interchange.markdown.proposing import NOTHING, keep_proposals, plan_proposals
    from qms.interchange.markdown.standing import Verdict
    from qms.interchange.returning.reading import read_records

    if any(one.kind != "records" for one in sources):
        raise Invalid("Records as files are imported with other records as files alone.")
    folders = [read_records(one.path, get_registry()) for one in sources]
    with installation() as opened:
        by = acting(opened, person)
        with opened.database.reading() if dry_run else opened.database.writing() as session:
            projects = [find_project(session, one.project) for one in sources]
            incoming = list(zip(projects, folders, strict=True))
            if dry_run:
                plans = plan_proposals(session, incoming, by)
            else:
                reason = f"Imported from {sources[0].path.resolve().name}."
                plans = keep_proposals(session, incoming, by, reason)
    told: list[dict[str, Any]] = []
    lines: list[str] = []
    for source, found in zip(sources, plans, strict=True):
        for one in found.proposed:
            about = {"project": source.project, "uid": one.file.uid, "file": one.file.file}
            told.append({**about, "verdict": one.verdict.value, "note": one.note})
            if one.verdict is not Verdict.UNCHANGED or one.note:
                lines.append(f"{one.verdict.value:<9} {one.file.uid}  {one.note}".rstrip())
        kept = "; nothing was kept" if dry_run else ""
        lines.append(f"{source.project}: {found.sentence}{kept}.")
        if found.baseline is not None:
            lines.append(f"Baseline {found.baseline} holds what was in force before.")
    frozen = {one.project: plan.baseline for one, plan in zip(sources, plans, strict=True)}
    say({"kept": not dry_run, "baselines": frozen, "records": told}, as_json, "\n".join(lines))
    faults = [fault for found in plans for fault in found.faults]
    if faults:
        raise Invalid(NOTHING, faults)
    if any(found.counts[Verdict.CONFLICT] for found in plans):
        raise typer.Exit(1)
