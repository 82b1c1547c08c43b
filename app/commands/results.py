"""Commands about the results of tests that other tools ran."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import WITH_FAULTS, AsJson, AsPerson, acting, installation, say
from core.errors import Fault, Invalid

results = typer.Typer(help="Results of tests that other tools ran.", no_args_is_help=True)


@results.command("import")
def import_results(
    reports: Annotated[list[Path], typer.Argument(help="JUnit XML or Cucumber JSON.")],
    project_key: Annotated[str, typer.Option("--project", help="Key of the project.")],
    commit: Annotated[str, typer.Option(help="The whole name of the commit that was tested.")],
    person: AsPerson,
    files: Annotated[
        Path | None, typer.Option(help="The folder that files named by cases lie in.")
    ] = None,
    environment: Annotated[
        str, typer.Option(help="Where they ran, in a build that runs them in several.")
    ] = "",
    rerun: Annotated[
        bool, typer.Option(help="They count instead of what was imported before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import reports of tests: all of them or none; exit 3 when something about them is odd."""
    from core.blobs import BlobStore
    from core.records.service import find_project
    from qms.results import service
    from qms.results.arriving import Sent, read_all, wanted_files, with_files

    read = read_all([Sent(path.name, _content(path)) for path in reports])
    named = wanted_files(report for report, _ in read)
    arrived = with_files(read, [Sent(*one) for one in _below(files, named)] if files else ())
    with installation() as opened:
        by = acting(opened, person)
        store = BlobStore(opened.settings.data_dir / "blobs")
        with opened.database.writing() as session:
            project = find_project(session, project_key)
            kept = service.import_results(
                session,
                store,
                project,
                arrived,
                commit,
                by,
                service.COMMAND,
                service.Ran(environment, rerun),
            )
    lines = [f"{one.code} {one.place}: {one.what} {one.mend}".rstrip() for one in kept.findings]
    counted = ", ".join(f"{count} {word}" for word, count in kept.counts.items() if count)
    cases = sum(kept.counts.values())
    lines.append(
        f"Results {kept.number} of commit {kept.commit[:12]}: {cases} cases in "
        f"{len(kept.reports)} reports: {counted or 'none'}. They name {len(kept.named)} records."
    )
    say(service.as_json(kept, project_key), as_json, "\n".join(lines))
    raise typer.Exit(WITH_FAULTS if kept.findings else 0)


def _content(path: Path) -> bytes:
    from qms.results.refusing import LARGEST_BYTES

    try:
        with path.open("rb") as opened:
            return opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        fault = Fault("TR600", str(path), f"{error.strerror}.", "Name a file that can be read.")
        raise Invalid("Nothing was imported.", [fault]) from error


def _below(folder: Path, names: tuple[str, ...]) -> list[tuple[str, bytes]]:
    """Return the named files that lie in a folder, wherever links in it may lead."""
    from qms.results.arriving import LARGEST_ATTACHMENT

    root = folder.resolve()
    found = []
    for name in names:
        place = (root / name.replace("\\", "/")).resolve()
        if place.is_relative_to(root) and place.is_file():
            with place.open("rb") as opened:
                found.append((name, opened.read(LARGEST_ATTACHMENT + 1)))
    return found
