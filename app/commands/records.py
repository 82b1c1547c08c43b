"""Commands about projects, their trace, their repositories and the audit trail."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import AsJson, AsPerson, acting, installation, say, tell, write_bytes
from app.commands.sealing import seal, seen_outside

project = typer.Typer(help="Projects.", no_args_is_help=True)
git = typer.Typer(help="Git repositories.", no_args_is_help=True)
audit = typer.Typer(help="The audit trail.", no_args_is_help=True)


@project.command("list")
def list_projects(as_json: AsJson = False) -> None:
    """List the projects with how many records each has."""
    from sqlalchemy import select
    from sqlmodel import col

    from core.records.models import Project
    from core.records.service import counts_by_type

    with installation() as opened, opened.database.reading() as session:
        found = [
            {
                "key": one.key,
                "title": one.title,
                "demonstration": one.demonstration,
                "records": sum(counts_by_type(session, one).values()),
            }
            for one in session.execute(select(Project).order_by(col(Project.key))).scalars()
        ]
    lines = [f"{one['key']:<8} {one['records']:>6} records  {one['title']}" for one in found]
    say(found, as_json, "\n".join(lines) or "There is no project yet.")


@project.command("create")
def create_project(key: str, title: str, person: AsPerson) -> None:
    """Create a project; its creator gets no role by that."""
    from core.errors import Refused
    from core.records.service import create_project as create

    with installation() as opened:
        by = acting(opened, person)
        if not by.is_administrator:
            raise Refused(f"{by.name} is no administrator and may not create a project here.")
        with opened.database.writing() as session:
            create(session, key, title, by)
    say(key, False, f"Project {key} was created.")


def trace(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")],
    rows: Annotated[str, typer.Option(help="Record type of the rows.")] = "requirement",
    columns: Annotated[str, typer.Option(help="Types of the columns, by commas.")] = "",
    release: Annotated[str | None, typer.Option(help="Version or uid of a release.")] = None,
    form: Annotated[str, typer.Option("--format", help="csv, json, html, xlsx or pdf.")] = "csv",
    output: Annotated[Path | None, typer.Option("-o", help="File to write.")] = None,
) -> None:
    """Export the traceability matrix."""
    from core.exports import export
    from core.records.types import get_registry
    from qms.traceability.service import trace as draw
    from qms.traceability.tables import sheet

    with installation() as opened, opened.database.reading() as session:
        matrix = draw(session, project_key, rows, columns, release)
    registry = get_registry()
    labels = {name: registry.of(name).label for name in registry.names()}
    content, _media_type = export(sheet(matrix, matrix.rows, labels), form)
    if output is None:
        write_bytes(content)
    else:
        output.write_bytes(content)
        tell(f"{output} holds {len(matrix.rows)} rows.")


git.command("seal")(seal)


@git.command("scan")
def scan(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")],
    person: AsPerson,
    as_json: AsJson = False,
) -> None:
    """Fetch the project's repositories and link their commits to the records they name."""
    from qms.repositories.scanning import scan_repository
    from qms.repositories.service import repositories_of

    with installation() as opened:
        by = acting(opened, person)
        with opened.database.reading() as session:
            ids = [one.id or 0 for one in repositories_of(session, project_key, retired=False)]
        reports = [
            scan_repository(opened.database, opened.settings, identity, by) for identity in ids
        ]
    lines = [str(report) for report in reports] or [f"{project_key} has no repository."]
    say([asdict(report) for report in reports], as_json, "\n".join(lines))


@git.command("answers")
def git_answers(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")],
    release: Annotated[str, typer.Option(help="Tell what this release contains.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell what is amiss between code and records; exit 1 when something is."""
    from core.records.service import find_project
    from qms.repositories.asking import answers_of, contents_of_release
    from qms.repositories.telling import answers_in_words, contents_in_words

    with installation() as opened, opened.database.reading() as session:
        project = find_project(session, project_key)
        if release:
            contents = contents_of_release(session, project, release, opened.settings)
            say(asdict(contents), as_json, contents_in_words(contents))
            return
        found = answers_of(session, project)
        say(found.plain(), as_json, answers_in_words(found))
    if found.count:
        raise typer.Exit(1)


@audit.command("verify")
def verify_trail(
    against: Annotated[
        str, typer.Option(help="A pack that saw the trail, or REPOSITORY@TAG of a sealed release.")
    ] = "",
    record: Annotated[bool, typer.Option(help="Write into the trail what came of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify the chain, every revision, signature and run; exit 1 when something does not fit."""
    from core.blobs import BlobStore
    from core.ledger.verified import record_verification
    from core.records.audit import verify_installation

    with installation() as opened:
        files = BlobStore(opened.settings.data_dir / "blobs")
        with opened.database.reading() as session:
            anchors = seen_outside(session, against, opened.settings.data_dir)
            found = verify_installation(session, files, anchors)
        if record:
            with opened.database.writing() as session:
                record_verification(session, found)
    lines = [str(one) for one in found.findings]
    word = "clean" if found.clean else f"{len(found.findings)} findings"
    lines.append(
        f"{found.entries} entries, {found.revisions} revisions, {found.signatures} signatures: "
        f"{word}. Head {found.head[:12]}."
    )
    told = {
        "clean": found.clean,
        "entries": found.entries,
        "revisions": found.revisions,
        "signatures": found.signatures,
        "head": found.head,
        "findings": [vars(one) for one in found.findings],
    }
    say(told, as_json, "\n".join(lines))
    raise typer.Exit(0 if found.clean else 1)
