"""`fiducial import`: records from files of our own, of other tools, and of other installations."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import AsJson, AsPerson, acting, installation, say
from app.commands.corpora import (
    Accepted,
    Columns,
    CorpusOptions,
    Fields,
    Levels,
    Moved,
    Roles,
    Types,
    import_corpus,
)
from app.commands.exchange import propose_records
from app.commands.flows import update_map
from app.commands.moving import import_archive
from core.errors import Invalid

if TYPE_CHECKING:
    from app.reading import Source

imports = typer.Typer(
    help="Bring records in: every fault first, then everything or nothing.", no_args_is_help=True
)

Into = Annotated[str, typer.Option(help="Key of the project.")]
Also = Annotated[
    list[str] | None,
    typer.Option(help="KIND:PROJECT:FILE imported in the same step; links may lead across."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, keep nothing.")]


@imports.command("department")
def import_department(
    path: Annotated[Path, typer.Argument(help="The map as YAML, or as a zip of sheets.")],
    into: Into,
    person: AsPerson,
    also: Also = None,
    update: Annotated[
        bool, typer.Option("--update", help="Change what exists too, not only create.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import a department map; its records arrive as drafts."""
    if not update:
        _create("department", path, into, also or (), (person, dry_run, as_json))
    elif also:
        raise Invalid("--update is for one department alone; --also creates.")
    else:
        update_map(path, into, person, dry_run, as_json)


@imports.command("design-record")
def import_design_record(
    path: Annotated[Path, typer.Argument(help="A design record as YAML.")],
    into: Into,
    person: AsPerson,
    also: Also = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import a design record; its records arrive as drafts."""
    _create("design-record", path, into, also or (), (person, dry_run, as_json))


@imports.command("records")
def import_records(
    path: Annotated[Path, typer.Argument(help="A folder of Markdown, or a file of any form.")],
    into: Into,
    person: AsPerson,
    also: Also = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Bring records as files back: what is new and what was edited becomes a draft."""
    from app.tables import prepare

    prepare()
    propose_records(_sources("records", into, path, also or ()), person, dry_run, as_json)


@imports.command("corpus")
def import_from_tool(
    path: Annotated[Path, typer.Argument(help="A folder or file of another tool.")],
    into: Into,
    person: AsPerson,
    form: Annotated[
        str | None, typer.Option("--format", help="Format; found out unless named.")
    ] = None,
    types: Types = None,
    role: Roles = None,
    field: Fields = None,
    column: Columns = None,
    level: Levels = None,
    accept: Accepted = None,
    moved: Moved = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make records of the items of another tool; they arrive as drafts."""
    options = CorpusOptions(
        form, types or (), role or (), field or (), column or (), level or (), accept or (), moved
    )
    import_corpus(path, into, person, options, dry_run=dry_run, as_json=as_json)


@imports.command("project")
def import_project(
    path: Annotated[Path, typer.Argument(help="An archive that `export project` wrote.")],
    person: AsPerson,
    key: Annotated[Path | None, typer.Option(help="Public key that must have signed it.")] = None,
    same_person: Annotated[
        list[str] | None,
        typer.Option(help="Uid of somebody with another name here who is the same person."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Bring whole projects here as they were, with history and signatures: all of it or nothing."""
    import_archive(path, person, key, same_person or (), dry_run, as_json)


def _sources(kind: str, into: str, path: Path, also: Sequence[str]) -> "list[Source]":
    from app.reading import Source

    wanted = [Source(kind, into, path)]
    for text in also:
        parts = text.split(":", 2)
        if len(parts) != 3:
            raise Invalid(f"'{text}' is not of the form KIND:PROJECT:FILE.")
        wanted.append(Source(parts[0], parts[1], Path(parts[2])))
    return wanted


def _create(
    kind: str, path: Path, into: str, also: Sequence[str], how: tuple[str, bool, bool]
) -> None:
    from sqlmodel import Session

    from app.reading import keep, read_sources
    from app.tables import prepare
    from core.records.types import get_registry

    person, dry_run, as_json = how
    prepare()
    read = read_sources(_sources(kind, into, path, also))
    with installation() as opened:
        by = acting(opened, person)
        if dry_run:
            with opened.database.engine.connect() as connection:
                session = Session(connection)
                result = keep(session, read, by, get_registry())
                session.rollback()
        else:
            with opened.database.writing() as session:
                result = keep(session, read, by, get_registry())
    told = {"created": [list(key) for key in result.created], "kept": not dry_run}
    verb = "would be created" if dry_run else "were created"
    say(told, as_json, f"{len(result.created)} records {verb} as drafts.")
