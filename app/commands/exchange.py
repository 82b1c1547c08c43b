"""Commands that write records out in a form of their own, and bring them back."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import AsJson, acting, installation, say, tell
from core.errors import Invalid

if TYPE_CHECKING:
    from app.reading import Source

records = typer.Typer(help="Records as files.", no_args_is_help=True)

KINDS = ("department", "records")


def export_file(
    kind: Annotated[str, typer.Argument(help="department or records")],
    project: Annotated[str, typer.Option("--from", help="Key of the project.")],
    output: Annotated[
        Path, typer.Option("-o", "--to", help="File to write; a folder for records as Markdown.")
    ],
    form: Annotated[
        str,
        typer.Option("--format", help="Of records: markdown, json, needs, reqif(z) or xlsx."),
    ] = "",
    drafts: Annotated[
        bool, typer.Option("--drafts", help="The latest drafts instead of what is in force.")
    ] = False,
) -> None:
    """Write the whole map, or all records, so that they import back without loss."""
    if kind == "records":
        _export_records(project, output, form or "markdown", drafts)
        return
    if kind != "department":
        known = " and ".join(KINDS)
        raise Invalid(f"'{kind}' is nothing that can be exported; there are {known}.")
    if form:
        raise Invalid("--format is for records; a map is YAML, or sheets where FILE ends in .zip.")
    _export_map(project, output, drafts)


def _export_map(project: str, output: Path, drafts: bool) -> None:
    from core.records.service import find_project
    from dataflows.interchange.service import export_department

    form = "zip" if output.suffix == ".zip" else "yaml"
    with installation() as opened, opened.database.reading() as session:
        data = export_department(session, find_project(session, project), form, latest=drafts)
    output.write_bytes(data)
    tell(f"{output} holds the map of {project}, {len(data):,} bytes.")


def _export_records(project: str, output: Path, form: str, drafts: bool) -> None:
    from core.records.service import find_project
    from core.records.types import get_registry
    from qms.interchange.markdown.folder import write_folder
    from qms.interchange.writers.forms import write_as
    from qms.interchange.writers.kept import kept_records

    with installation() as opened, opened.database.reading() as session:
        found = find_project(session, project)
        title = found.title
        kept = kept_records(session, found, drafts=drafts)
    if form != "markdown":
        data = write_as(form, project, title, kept, get_registry())
        output.write_bytes(data)
        tell(f"{output} holds {len(kept)} records of {project}, {len(data):,} bytes.")
        return
    if output.exists() and not output.is_dir():
        raise Invalid(f"{output} is a file; records as Markdown need a folder.")
    done = write_folder(output, kept, get_registry())
    tell(f"{output}: {len(done.written)} files written, {done.unchanged} unchanged.")
    for name in done.stale:
        tell(f"{name} is of no record of {project} any more, and was left as it is.")


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
