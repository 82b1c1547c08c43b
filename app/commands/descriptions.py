"""Commands about the file that describes a project at the root of its repository."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import AsJson, say, tell
from core.errors import Fault, Invalid

Where = Annotated[Path, typer.Argument(help="Root of the repository.")]


def new_description(
    key: Annotated[str, typer.Option(prompt="Key of the project", help="As RPM.")],
    title: Annotated[str, typer.Option(prompt="Title", help="What the device is called.")],
    folder: Where = Path(),
    records: Annotated[str, typer.Option(help="Folder of its records.")] = "docs/record",
    results: Annotated[str, typer.Option(help="Folder of results of tests.")] = "",
    branch: Annotated[str, typer.Option(help="Default branch.")] = "main",
    repository: Annotated[
        list[str] | None, typer.Option(help="NAME=ADDRESS of a Git repository; repeatable.")
    ] = None,
    trailer: Annotated[
        list[str] | None, typer.Option(help="KEY=ROLE of commit trailers; repeatable.")
    ] = None,
) -> None:
    """Describe a project in fiducial.yaml; one that is there is never written over."""
    from qms.project_files.description import description_of, write_description

    values = {
        "project": key,
        "title": title,
        "records": records,
        "results": results or None,
        "default_branch": branch,
        "repositories": [
            {"name": name, "address": address}
            for name, address in _pairs(repository or [], "NAME=ADDRESS")
        ],
        "trailers": dict(_pairs(trailer or [], "KEY=ROLE")),
    }
    path = write_description(folder, description_of(values))
    tell(f"{path} describes {key}; put it under version control.")


def _pairs(texts: list[str], form: str) -> list[tuple[str, str]]:
    wrong = [one for one in texts if not all(one.partition("=")[::2])]
    if wrong:
        faults = [Fault("PD04", one[:80], f"is not of the form {form}.") for one in wrong]
        raise Invalid("No description was written.", faults)
    return [(name, value) for name, _, value in (one.partition("=") for one in texts)]


def show_description(path: Where = Path(), as_json: AsJson = False) -> None:
    """Show what fiducial.yaml says and everything that is wrong with it; exit 1 when there is."""
    from app.tables import prepare
    from core.records.types import get_registry
    from qms.project_files.description import folder_faults, read_description

    prepare()
    described, faults = read_description(path)
    count = 0
    if described is not None:
        root = path if path.is_dir() else path.parent
        count, found = folder_faults(root, described, get_registry())
        faults += found
    told = {
        "description": described.model_dump() if described is not None else None,
        "records": count,
        "faults": [
            {"code": one.code, "where": one.where, "what": one.what, "mend": one.mend}
            for one in faults
        ],
    }
    lines = described.text().splitlines()[1:] if described is not None else []
    lines += [f"{one.code} {one}" for one in faults]
    lines.append(f"{count} records, {len(faults)} faults.")
    say(told, as_json, "\n".join(lines))
    raise typer.Exit(1 if faults else 0)
