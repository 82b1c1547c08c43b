"""Commands about a folder of controlled documents in Markdown; they need no installation."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import AsJson, say
from core.errors import Invalid

documents = typer.Typer(help="A folder of controlled documents.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Folder with the Markdown files.")]
Standard = Annotated[str, typer.Option(help="How clause markers name the standard.")]


@documents.command("lint")
def lint_documents(folder: Folder, as_json: AsJson = False) -> None:
    """Find versions, ids, citations and clause markers that do not agree; exit 1 when there are."""
    from qms.clauses.packs import clause_lists
    from qms.document_control.folder import read_folder
    from qms.document_control.lint import CODES, lint

    read = read_folder(folder)
    found = lint(read, clause_lists())
    counts = Counter(one.code for one in found)
    told = [str(one) for one in found]
    told += [f"{counts[code]:>4}  {code}  {title}" for code, title in CODES.items()]
    told.append(f"{len(read)} documents, {len(found)} findings")
    result = {
        "documents": len(read),
        "counts": {code: counts[code] for code in CODES},
        "findings": [asdict(one) for one in found],
    }
    say(result, as_json, "\n".join(told))
    if found:
        raise typer.Exit(1)


@documents.command("coverage")
def cover_clauses(folder: Folder, standard: Standard = "13485", as_json: AsJson = False) -> None:
    """Say for each clause which documents cover it; exit 1 when one is left open."""
    from qms.clauses.packs import clause_lists
    from qms.document_control.coverage import Standing, coverage
    from qms.document_control.folder import read_folder

    lists = clause_lists()
    if standard not in lists:
        known = ", ".join(lists)
        raise Invalid(f"There is no list of clauses '{standard[:40]}'; there are: {known}.")
    found = coverage(read_folder(folder), lists[standard])
    counts = Counter(one.standing.value for one in found)
    told = [
        f"{one.clause:<8} {one.standing.value:<14} {one.title}"
        + "".join(f"\n         {place}" for place in one.marked[:5])
        + (f"\n         and {len(one.marked) - 5} more" if len(one.marked) > 5 else "")
        + (f"\n         {one.declared}: {one.reason}" if one.declared else "")
        for one in found
    ]
    told.append(f"{len(found)} clauses of {lists[standard].name}: " + _counted(counts))
    result = {
        "standard": lists[standard].name,
        "counts": {one.value: counts[one] for one in Standing},
        "clauses": [{**asdict(one), "standing": one.standing.value} for one in found],
    }
    say(result, as_json, "\n".join(told))
    if counts[Standing.GAP] or counts[Standing.CONTRADICTED]:
        raise typer.Exit(1)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
