"""Commands that make and check evidence: runs, packs, verification, dose figures."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import AsJson, acting, installation, say, tell

dose = typer.Typer(help="Dose-volume figures.", no_args_is_help=True)
pack = typer.Typer(help="Validation packs.", no_args_is_help=True)
tools = typer.Typer(help="The tools that runs are executed with.", no_args_is_help=True)


def validate(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")],
    release: Annotated[str, typer.Option(help="Version or uid of a release.")] = "",
    protocol: Annotated[str, typer.Option(help="verification or numerical")] = "verification",
    data: Annotated[Path | None, typer.Option(help="Folder of a numerical comparison.")] = None,
    person: Annotated[
        str, typer.Option("--as", help="Uid of the tester; may be left out where there is one.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why it is executed again.")] = "",
    as_json: AsJson = False,
) -> None:
    """Execute a protocol as a recorded run and wait for it; exit 1 unless it passed."""
    from app.running import only_tester, run_protocol

    with installation() as opened:
        by = acting(opened, person) if person else only_tester(opened.database, project_key)
        tell(f"{by.name} ({by.uid}) tests.")
        told = run_protocol(
            opened.database,
            opened.settings,
            project_key,
            by,
            release=release,
            protocol=protocol,
            data=data,
            reason=reason,
            tell=tell,
        )
    lines = [
        f"{value['name']}: {value['actual']} {value['unit']}, expected {value['expected']} "
        f"(tolerance {value['tolerance']}): {'passed' if value['passed'] else 'FAILED'}"
        for scenario in told["scenarios"]
        for step in scenario["steps"]
        for value in step["measurements"]
    ]
    if len(lines) > 40:
        lines = [*lines[:40], f"and {len(lines) - 40} more (--json)"]
    lines.append(f"Run {told['number']} of {project_key}: {told['verdict']}.")
    say(told, as_json, "\n".join(lines))
    raise typer.Exit(0 if told["verdict"] == "passed" else 1)


def data_sets(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")],
    as_json: AsJson = False,
) -> None:
    """Hash the files of every data set; exit 1 where they are not those of its record."""
    from core.records.service import find_project
    from validation.runs.registered import data_sets as look

    with installation() as opened, opened.database.reading() as session:
        project = find_project(session, project_key)
        found = look(session, project, opened.settings.data_sets_dir)
    lines = []
    for one in found:
        held = f"{one.files} files, {one.size} bytes" if one.files else f"expected in {one.folder}"
        lines.append(f"{one.uid:<8} {one.standing}: {one.title} {one.version}, {held}")
        if one.digest and one.standing != "as registered":
            lines.append(f"{'':<8} digest {one.as_dict()['digest']}")
    say([one.as_dict() for one in found], as_json, "\n".join(lines) or "It has no data set.")
    raise typer.Exit(1 if any(one.wrong for one in found) else 0)


@tools.command("check")
def check_tools(as_json: AsJson = False) -> None:
    """Execute scenarios with planted outcomes; exit 1 unless each was recorded truly."""
    from validation.runs.toolcheck import check_tools as check

    found = check()
    lines = [
        f"{'held' if one.held else 'FAILED':<7} {one.title}: planted {one.expected}, recorded "
        f"{one.recorded}{''.join(f'; {fault}' for fault in one.faults)}"
        for one in found.scenarios
    ]
    say(found.as_dict(), as_json, "\n".join([*lines, found.sentence]))
    raise typer.Exit(0 if found.held else 1)


def verify(
    file: Annotated[Path, typer.Argument(help="A validation pack.")],
    key: Annotated[list[Path] | None, typer.Option(help="Public key of a maker you trust.")] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a pack offline: 0 intact and trusted, 2 intact but signer unknown, 1 changed."""
    from validation.verify.command import verify_command

    raise typer.Exit(int(verify_command(file, key or (), as_json)))


@pack.command("build")
def build(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")],
    release: Annotated[str, typer.Option(help="Version or uid of a release.")],
    output: Annotated[Path, typer.Option("-o", help="The zip file to make.")],
    as_json: AsJson = False,
) -> None:
    """Build the pack of a signed release."""
    from validation.pack.job import build_release_pack

    with installation() as opened:
        made = build_release_pack(
            opened.database,
            opened.settings,
            project_key,
            release,
            output,
            lambda done, total, text: tell(f"{done}/{total} {text}"),
        )
    with made.open("rb") as opened_pack:
        sha256 = hashlib.file_digest(opened_pack, "sha256").hexdigest()
    told = {"file": str(made), "sha256": sha256, "size": made.stat().st_size}
    say(told, as_json, f"{made}\nSHA-256 {sha256}")


@dose.command("metrics")
def metrics(
    structures: Annotated[Path, typer.Argument(help="RT Structure Set")],
    doses: Annotated[Path, typer.Argument(metavar="DOSE", help="RT Dose")],
    metric: Annotated[list[str] | None, typer.Option(help="D95%, V30Gy, Dmean, ...")] = None,
    roi: Annotated[list[str] | None, typer.Option(help="Name of a structure.")] = None,
    as_json: AsJson = False,
) -> None:
    """Calculate dose-volume metrics with their error bounds."""
    from engine.dose.compute import compute
    from engine.dose.metrics import DEFAULT_METRICS
    from engine.errors import Refusal

    try:
        result = compute(structures, doses, metrics=metric or DEFAULT_METRICS, rois=roi or None)
    except Refusal as refusal:
        for fault in refusal.faults:
            tell(f"{fault.code} {fault.where}: {fault.what} {fault.next_step}")
        raise typer.Exit(1) from None
    lines = []
    for one in result.structures:
        lines.append(f"{one.name}: {one.volume_cc:.3f} cc, {one.outside_cc:.3f} cc without dose")
        lines += [f"  {value.name:<10} {value.shown}" for value in one.metrics]
    for name, faults in result.refused.items():
        lines += [f"{name}: refused, {fault.what} {fault.next_step}" for fault in faults]
    say(result.as_dict(), as_json, "\n".join(lines))
    raise typer.Exit(1 if result.refused else 0)


@dose.command("selftest")
def selftest(as_json: AsJson = False) -> None:
    """Recalculate reference shapes whose answers are known in closed form."""
    from engine.selftest import run_selftest

    result = run_selftest()
    told = [*(str(check) for check in result.checks), "passed" if result.passed else "FAILED"]
    say(result.as_dict(), as_json, "\n".join(told))
    raise typer.Exit(0 if result.passed else 1)
