"""`fiducial export`: the map, records, a corpus, documents or whole projects, to files."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import installation, tell
from app.commands.corpora import export_corpus
from app.commands.document_sets import export_documents
from app.commands.moving import export_projects
from core.errors import Invalid

exports = typer.Typer(help="Write out what is kept.", no_args_is_help=True)

MARKDOWN = "markdown"

From = Annotated[str, typer.Option("--from", help="Key of the project.")]
ToFile = Annotated[Path, typer.Option("-o", "--to", help="File to write.")]
ToFolder = Annotated[Path, typer.Option("-o", "--to", help="Folder to write into.")]
Drafts = Annotated[
    bool, typer.Option("--drafts", help="The latest drafts instead of what is in force.")
]


@exports.command("department")
def export_map(project: From, output: ToFile, drafts: Drafts = False) -> None:
    """Write the whole map as YAML, or as sheets where the file ends in .zip."""
    from core.records.service import find_project
    from dataflows.interchange.service import export_department

    form = "zip" if output.suffix == ".zip" else "yaml"
    with installation() as opened, opened.database.reading() as session:
        data = export_department(session, find_project(session, project), form, latest=drafts)
    output.write_bytes(data)
    tell(f"{output} holds the map of {project}, {len(data):,} bytes.")


@exports.command("records")
def export_records(
    project: From,
    output: Annotated[
        Path, typer.Option("-o", "--to", help="File to write; a folder for Markdown.")
    ],
    form: Annotated[
        str, typer.Option("--format", help="markdown, json, needs, reqif, reqifz or xlsx.")
    ] = MARKDOWN,
    drafts: Drafts = False,
) -> None:
    """Write every record of a project, so that it imports back without loss."""
    from core.records.service import find_project
    from core.records.types import get_registry
    from qms.interchange.markdown.folder import write_folder
    from qms.interchange.writers.forms import write_as
    from qms.interchange.writers.kept import kept_records

    with installation() as opened, opened.database.reading() as session:
        found = find_project(session, project)
        title = found.title
        kept = kept_records(session, found, drafts=drafts)
    if form != MARKDOWN:
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


@exports.command("corpus")
def export_as_its_tool(
    project: From,
    output: ToFolder,
    form: Annotated[
        str, typer.Option("--format", help="Where the project was imported from several tools.")
    ] = "",
    drafts: Drafts = False,
) -> None:
    """Write what was imported from another tool in that tool's own form."""
    export_corpus(project, output, form, drafts=drafts)


@exports.command("documents")
def export_document_set(
    project: From,
    output: ToFolder,
    form: Annotated[str, typer.Option("--format", help="markdown or pdf.")] = MARKDOWN,
    release: Annotated[
        str, typer.Option(help="Version or uid of the release they are made for.")
    ] = "",
) -> None:
    """Write the document set of a project, rendered from its record."""
    export_documents(project, output, form, release)


@exports.command("project")
def export_whole(
    projects: Annotated[
        list[str], typer.Option("--from", help="Key of a project; several may be given.")
    ],
    output: ToFile,
) -> None:
    """Write whole projects with their history and signatures; exit 3 when something is damaged."""
    export_projects(projects, output)
