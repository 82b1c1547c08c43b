"""Commands about the files of another tool; they need no installation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import AsJson, say

if TYPE_CHECKING:
    from qms.interchange.telling import Told

Where = Annotated[Path, typer.Argument(help="Folder or file of the other tool.")]
Form = Annotated[str | None, typer.Option("--format", help="Format; found out unless named.")]
Levels = Annotated[
    list[str] | None, typer.Option("--level", help="Kind or document, from the top down.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="What a column of a sheet is: uid=ID, link:verifies=Tests."),
]


def trace_check(
    path: Where,
    form: Form = None,
    level: Levels = None,
    column: Columns = None,
    as_json: AsJson = False,
) -> None:
    """Read the items of another tool and check every link between them; exit 1 on findings."""
    from qms.interchange.readers.reading import read_corpus
    from qms.interchange.readers.sheets import column_map
    from qms.interchange.telling import told

    found = told(read_corpus(path, form, column_map(column or ())), level or ())
    say(found.as_plain(), as_json, _sentences(found))
    if found.findings:
        raise typer.Exit(1)


def _sentences(found: "Told") -> str:
    from qms.interchange.telling import TITLES

    lines = [
        f"{one.place}: {one.code} {one.what}{' ' if one.mend else ''}{one.mend}"
        for one in found.findings
    ]
    lines += [f"{count:>6}  {code}  {TITLES[code]}" for code, count in found.counts.items()]
    lines += [f"left out: {count} {name}" for name, count in found.left_out.items()]
    lines += [f"not judged: {count} {name}" for name, count in found.not_judged.items()]
    lines.append(
        f"{found.items} items and {found.links} links of {found.format}, "
        f"{len(found.findings)} findings"
    )
    return "\n".join(lines)
