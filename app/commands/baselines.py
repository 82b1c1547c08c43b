"""Commands about baselines: list, freeze, verify, and compare with each other and today."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.console import AsJson, AsPerson, acting, installation, say, tell, write_bytes
from app.commands.sealing import seals_at

baseline = typer.Typer(help="Frozen lists of revisions.", no_args_is_help=True)

InProject = Annotated[str, typer.Argument(metavar="PROJECT")]


@baseline.command("list")
def list_baselines(project_key: InProject, as_json: AsJson = False) -> None:
    """List the baselines of a project, the latest first."""
    from core.records.service import find_project
    from qms.baselines.freezing import standings

    with installation() as opened, opened.database.reading() as session:
        found: list[dict[str, Any]] = [
            {
                "number": one.baseline.number,
                "name": one.baseline.purpose,
                "reason": one.reason,
                "gate": one.gate,
                "frozen": one.at.isoformat(),
                "by": one.baseline.person_name,
                "signed": one.signed,
                "count": one.baseline.count,
                "root": one.baseline.root,
                "releases": [key.uid for key in one.releases],
            }
            for one in standings(session, find_project(session, project_key))
        ]
    lines = [
        f"{one['number']:>4}  {one['frozen'][:10]}  {one['count']:>6} records  "
        f"{one['root'][:12]}  {one['name']}"
        for one in found
    ]
    say(found, as_json, "\n".join(lines) or f"{project_key} has no baseline.")


@baseline.command("create")
def create(
    project_key: InProject,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    reason: Annotated[str, typer.Option(help="Why it is frozen now.")],
    person: AsPerson,
    gate: Annotated[str, typer.Option(help="plan or design: what its rules find stops it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Freeze what is in force now; a signature is given on the page alone, with the password."""
    from core.records.service import find_project
    from qms.baselines.freezing import freeze_baseline

    with installation() as opened:
        by = acting(opened, person)
        with opened.database.writing() as session:
            project = find_project(session, project_key)
            made = freeze_baseline(session, project, name, reason, by, gate)
            told = {"number": made.number, "count": made.count, "root": made.root}
    text = f"Baseline {told['number']} of {told['count']} records, root {told['root']}."
    say(told, as_json, text)


@baseline.command("diff")
def diff(
    project_key: InProject,
    before: Annotated[str, typer.Argument(help="Number or root digest of the earlier one.")],
    after: Annotated[str, typer.Argument(help="Of the later one, or today.")] = "today",
    show: Annotated[
        str, typer.Option(help="all, added, changed, re-linked, removed or same words.")
    ] = "all",
    form: Annotated[str, typer.Option("--format", help="csv, json, html, xlsx or pdf.")] = "",
    output: Annotated[Path | None, typer.Option("-o", help="File to write.")] = None,
) -> None:
    """Say what differs between two baselines, or a baseline and today; exit 1 when anything does.

    Words that went stand as [-went-], words that came as {+came+}.
    """
    from core.errors import Fault, Invalid
    from core.exports import export
    from core.records.service import find_project
    from qms.baselines.differing import Kind, compared
    from qms.baselines.freezing import side
    from qms.baselines.tables import difference_sheet, told

    if show not in ("all", *Kind):
        known = ", ".join(("all", *Kind))
        raise Invalid(
            "Nothing was compared.", [Fault("BL03", show, "is no kind.", f"Use {known}.")]
        )
    with installation() as opened, opened.database.reading() as session:
        project = find_project(session, project_key)
        old, new = (side(session, project, name) for name in (before, after))
        found = compared(session, old.lines, new.lines)
    shown = found.of(None if show == "all" else Kind(show))
    counts = ", ".join(f"{found.count(kind)} {kind.value}" for kind in Kind)
    tell(f"{old.label} with {new.label}: {counts}.")
    if form:
        table = difference_sheet(project_key, old.label, new.label, shown, show)
        content, _media_type = export(table, form)
        if output is None:
            write_bytes(content)
        else:
            output.write_bytes(content)
    elif shown:
        say(None, False, "\n".join(line for one in shown for line in told(one)))
    raise typer.Exit(1 if found.records else 0)


@baseline.command("verify")
def verify_baseline(
    project_key: InProject,
    name: Annotated[str, typer.Argument(help="Number or root digest of the baseline.")],
    against: Annotated[str, typer.Option(help="REPOSITORY@TAG of a sealed release.")] = "",
    as_json: AsJson = False,
) -> None:
    """Recompute a baseline from the records; exit 1 when one of them changed."""
    from core.records.service import find_project
    from qms.baselines.service import find_baseline
    from qms.baselines.service import verify_baseline as verify

    with installation() as opened, opened.database.reading() as session:
        found = find_baseline(session, find_project(session, project_key), name)
        result = verify(session, found)
        told, text, intact = result.to_json(), str(result), result.intact
        for anchor, seal in seals_at(against, opened.settings.data_dir) if against else ():
            same = (seal.product, seal.root) == (project_key, result.root)
            text += (
                f"\n{anchor.source}: {'the same root' if same else f'another root, {seal.root}'}."
            )
            told.setdefault("against", []).append({"source": anchor.source, "same": same})
            intact = intact and same
    say(told, as_json, text)
    raise typer.Exit(0 if intact else 1)
