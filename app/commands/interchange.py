"""Commands about the files of another tool; they need no installation."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import AsJson, say

if TYPE_CHECKING:
    from qms.interchange.corpus import Corpus, Finding
    from qms.interchange.linkcheck import LinkCheck

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
    from qms.interchange.linkcheck import LINKS, all_findings, check_links
    from qms.interchange.readers.codes import READING
    from qms.interchange.readers.reading import read_corpus
    from qms.interchange.readers.sheets import column_map

    corpus = read_corpus(path, form, column_map(column or ()))
    checked = check_links(corpus, level or ())
    found = tuple(all_findings(corpus, checked))
    say(
        _result(corpus, checked, found),
        as_json,
        _told(corpus, checked, found, {**READING, **LINKS}),
    )
    if found:
        raise typer.Exit(1)


def _counts(found: tuple["Finding", ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in sorted(found, key=lambda one: one.code):
        counts[one.code] = counts.get(one.code, 0) + 1
    return counts


def _result(corpus: "Corpus", checked: "LinkCheck", found: tuple["Finding", ...]) -> dict[str, Any]:
    return {
        "format": corpus.format,
        "items": len(corpus.items),
        "links": checked.links,
        "counts": _counts(found),
        "findings": [asdict(one) for one in found],
        "left_out": dict(corpus.left_out),
        "not_judged": dict(checked.not_judged),
    }


def _told(
    corpus: "Corpus", checked: "LinkCheck", found: tuple["Finding", ...], titles: dict[str, str]
) -> str:
    lines = [
        f"{one.place}: {one.code} {one.what}{' ' if one.mend else ''}{one.mend}" for one in found
    ]
    lines += [f"{count:>6}  {code}  {titles[code]}" for code, count in _counts(found).items()]
    lines += [f"left out: {count} {name}" for name, count in corpus.left_out.items()]
    lines += [f"not judged: {count} {name}" for name, count in checked.not_judged.items()]
    lines.append(
        f"{len(corpus.items)} items and {checked.links} links of {corpus.format}, "
        f"{len(found)} findings"
    )
    return "\n".join(lines)
