"""The command `fiducial check`: every rule, of a project or of a folder of records as files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import AsJson, installation, say, tell
from core.errors import Invalid

if TYPE_CHECKING:
    from core.errors import Fault
    from qms.rules.findings import CheckResult


def check(
    subject: Annotated[
        str, typer.Argument(metavar="PROJECT", help="Or a folder of records as files.")
    ],
    release: Annotated[str | None, typer.Option(help="Version or uid of a release.")] = None,
    gate: Annotated[str, typer.Option(help="Which rules are asked.")] = "release",
    code: Annotated[
        list[Path] | None,
        typer.Option(help="Of a folder of records: source files that name them."),
    ] = None,
    leave_out: Annotated[
        list[Path] | None,
        typer.Option("--leave-out", help="A source file or folder in which ids are no markers."),
    ] = None,
    findings: Annotated[
        bool, typer.Option("--findings", help="Print the findings alone, one per line.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask every rule; exit 1 when something stops the gate."""
    from qms.releases.service import release_check

    if _is_folder(subject):
        if release is not None:
            raise Invalid("A folder of records holds no release that could be judged.")
        _check_folder(Path(subject), gate, _Code(code or (), leave_out or ()), findings, as_json)
        return
    if code or leave_out:
        raise Invalid("--code is for a folder of records; a project has its repositories.")
    with installation() as opened, opened.database.reading() as session:
        result = release_check(session, subject, release, gate)
    _say(result, (), findings, as_json)


def _is_folder(subject: str) -> bool:
    """Whether a folder is meant: the key of a project holds no slash and no dot."""
    return "/" in subject or "." in subject


@dataclass(frozen=True)
class _Code:
    """The source files that are asked which records they name."""

    folders: Sequence[Path]
    left_out: Sequence[Path]


def _check_folder(folder: Path, gate: str, code: "_Code", findings: bool, as_json: bool) -> None:
    from app.tables import prepare
    from core.clock import now
    from core.records.types import get_registry
    from qms.interchange.markdown.checking import check_folder
    from qms.interchange.markdown.folder import read_folder
    from qms.interchange.markdown.judging import automated_tests, judge_folder, only_project
    from qms.repositories.carried import carried_faults, carried_in
    from qms.rules.packs import framework_pack

    prepare()
    registry = get_registry()
    found = read_folder(folder)
    project = only_project(found, folder.name)
    faults = check_folder(found, registry)
    if code.folders:
        uids = {one.uid for one in found.records}
        carried = carried_in(code.folders, code.left_out)
        faults += carried_faults(carried, uids, automated_tests(found))
    result = judge_folder(found, project, registry, framework_pack(), now().date(), gate)
    places = {one.uid: one.where("id") for one in found.records}
    _say(result, faults, findings, as_json, places)


def _say(
    result: "CheckResult",
    faults: "Sequence[Fault]",
    findings: bool,
    as_json: bool,
    places: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Tell a result with the faults of the files it was read from, and end as it says."""
    found = [f"{one.code} {one}" for one in faults]
    for finding in result.findings:
        where = places.get(finding.record.uid, finding.address)
        found.append(f"{finding.code} {finding.sentence} {finding.mend} ({where})")
    summary = (
        f"{result.sentence}: {result.errors} errors, {result.warnings} warnings, "
        f"{result.conceded} conceded."
    )
    if faults:
        summary += f" {len(faults)} faults of files."
    passed = result.passed and not faults
    told = [
        {"code": one.code, "where": one.where, "what": one.what, "mend": one.mend} for one in faults
    ]
    if findings:
        # Beside the list, so that counting its lines counts the findings.
        tell(summary)
        if found or as_json:
            say([*told, *result.findings_as_json()], as_json, "\n".join(found))
        raise typer.Exit(0 if passed else 1)
    lines = [
        f"{rule.code}  {rule.word.value:<14} {rule.looked_at:>5} looked at, "
        f"{len(rule.findings)} findings  {rule.title}"
        for rule in result.rules
    ]
    lines += found
    lines += [f"{rule.code} does not apply: {rule.reason}." for rule in result.rules if rule.reason]
    lines += [f"{rule.code} {rule.remark}" for rule in result.rules if rule.remark]
    lines += [
        f"{one.question.code} a person answers: {one.question.asks} "
        f"{len(one.considered)} answers kept, {len(one.beside) + one.more} to look at."
        for one in result.questions
    ]
    lines += [f"This department asks otherwise: {change}" for change in result.changes]
    lines.append(summary)
    answer: dict[str, Any] = result.as_json()
    if faults:
        answer |= {"passed": passed, "faults": told}
    say(answer, as_json, "\n".join(lines))
    raise typer.Exit(0 if passed else 1)
