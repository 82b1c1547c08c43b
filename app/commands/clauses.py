"""The command that says which records speak to a clause, and what is missing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import AsJson, installation, say
from core.errors import NotFound

if TYPE_CHECKING:
    from qms.clauses.service import ClauseFile
    from qms.clauses.standing import ClauseAnswer

MOST_TOLD = 20
"""Records named of one clause; the JSON names them all."""


def clauses(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")],
    clause: Annotated[str, typer.Argument(help="A clause, as '13485 7.3.7' or DCB0129-6.3.3.")] = (
        ""
    ),
    framework: Annotated[str, typer.Option(help="Key of a framework, e.g. 62304.")] = "",
    release: Annotated[str, typer.Option(help="Version or uid of a release, or 'none'.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say which records speak to each clause; exit 1 when one is a gap or contradicted."""
    from qms.clauses.service import clause_file
    from qms.clauses.standing import BLOCKING
    from qms.clauses.tables import clause_as_json, file_as_json
    from qms.releases.scope import NEWEST

    wanted = None if release == "none" else release or NEWEST
    with installation() as opened, opened.database.reading() as session:
        file = clause_file(session, project_key, wanted)
    shown = file.pick(framework, clause)
    if not shown:
        known = ", ".join(file.book.lists)
        raise NotFound(f"No list has a clause {clause[:40]!r}; there are lists of: {known}.")
    one = shown[0] if clause and len(shown) == 1 else None
    if one is not None:
        say(clause_as_json(file, one), as_json, "\n".join(_one(file, one)))
    elif clause or framework:
        say(file_as_json(file, shown), as_json, "\n".join(_several(file, shown)))
    else:
        say(file_as_json(file, shown), as_json, "\n".join(_frameworks(file)))
    raise typer.Exit(1 if any(each.standing in BLOCKING for each in shown) else 0)


def _frameworks(file: "ClauseFile") -> Iterator[str]:
    for key, listed in file.book.lists.items():
        counts = {word.value: number for word, number in file.counts(key).items() if number}
        told = ", ".join(f"{number} {word}" for word, number in counts.items())
        yield f"{key:<8} {len(listed.titles):>3} clauses of {listed.name}: {told}"
    yield from (
        f"{who} points at {pointer!r}, which no list knows."
        for who, pointer in file.answers.unknown
    )
    yield from file.changes


def _several(file: "ClauseFile", shown: "Sequence[ClauseAnswer]") -> Iterator[str]:
    for one in shown:
        counts = f"{len(one.in_force)} in force, {len(one.drafts)} drafts"
        yield f"{one.framework:<8} {one.clause:<9} {one.standing.value:<12} {one.title} ({counts})"
        yield from (f"{'':<18} {gap}" for gap in one.gaps)
    counted = Counter(one.standing.value for one in shown)
    told = ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))
    yield f"{len(shown)} of {len(file.all())} clauses: {told}"


def _one(file: "ClauseFile", one: "ClauseAnswer") -> Iterator[str]:
    from qms.clauses.standing import MEANINGS
    from qms.clauses.tables import CAUTION

    yield f"{file.book.lists[one.framework].name} {one.clause} {one.title}: {one.standing.value}"
    yield f"({MEANINGS[one.standing]})"
    for word, speakers in (("in force", one.in_force), ("not yet in force", one.drafts)):
        yield f"{len(speakers)} {word}"
        for each in speakers[:MOST_TOLD]:
            record = each.record
            state = f"{record.state.replace('_', ' ')}, revision {record.revision}"
            yield f"  {record.uid:<12} {state}  {record.title} ({', '.join(each.pointers)})"
        if len(speakers) > MOST_TOLD:
            yield f"  and {len(speakers) - MOST_TOLD} more"
    for rule in one.rules:
        result = rule.result
        yield f"{result.code}  {result.word.value}, {result.looked_at} looked at: {result.title}"
        yield from (f"  {found.sentence} {found.mend}" for found in rule.open_findings)
        yield from (f"  {result.remark}",) if result.remark else ()
        unseen = [record.uid for record in one.unseen_by(rule)]
        yield from (f"  it did not look at: {', '.join(unseen[:MOST_TOLD])}",) if unseen else ()
    for said in one.exclusions:
        told = "excludes it" if said.holds else f"excludes nothing: it {said.problem}"
        by = "; ".join(said.approved_by) or "nobody"
        yield f"{said.record.uid} {told} ({said.reason or 'no reason'}; approved by {by})"
    yield from (f"missing: {gap}" for gap in one.gaps)
    yield from (f"{question.code}  {question.asks}" for question in one.questions)
    yield CAUTION
