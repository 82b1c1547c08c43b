"""Gather everything a validation pack shows from the record, frozen at the final signature.

The same baseline and runs give the same contents, whenever and however often they are gathered:
no time here is "now".
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from core.blobs import BlobStore
from core.canonical import rfc3339
from core.records.models import Project, Record
from core.records.snapshot import Key, RecordView, SignatureView, Snapshot, natural_order
from core.settings import Settings
from core.verdicts import Verdict
from qms.baselines.service import find_baseline, lines_of
from qms.releases.scope import ReleaseScope, releases_of
from qms.repositories.service import mirror_holding
from qms.rules.check import check
from qms.rules.facts import RuleInput
from qms.rules.findings import CheckResult
from qms.rules.packs import framework_pack
from validation.pack import registers
from validation.pack.check import release_check
from validation.pack.contents import (
    Baseline,
    BaselineEntry,
    Cover,
    Ledger,
    PackContents,
)
from validation.pack.entries import record_entries
from validation.pack.evidence import Fact, NotRun, Run, SignatureEntry
from validation.pack.frozen import (
    FinalSignature,
    final_signature,
    frozen_input,
    last_environment,
    runs_until,
)
from validation.pack.risks import log_issues, risk_policy, risk_rows
from validation.pack.trace import trace_rows
from validation.runs.packing import evidence_files, pack_deviations, pack_run
from validation.runs.plain import run_as_plain

NOT_CLINICAL = "Not for clinical use"

ISSUES = ("problem", "change", "waiver")
"""Types that are not in the baseline and are told in the pack as they stood."""


def assemble(
    session: Session, project: Project, release: Record, settings: Settings
) -> tuple[PackContents, Mapping[str, Path]]:
    """Return the contents of a release's pack, and its files of evidence by SHA-256.

    Raises
    ------
    Conflict
        If the release is not signed.
    NotFound
        If its baseline, the mirror of its repository or a file of evidence is missing.
    """
    signed = final_signature(session, project, release)
    key = Key(project.key, release.uid)
    given = frozen_input(session, project, key, signed)
    result = check(given, framework_pack())
    view = given.snapshot.records[key]
    commit = str(view.fields.get("commit") or "")
    runs = runs_until(session, project, key, commit, signed)
    plain = [_until(run_as_plain(session, run), signed) for run in runs]
    commits = mirror_holding(session, project.key, commit, settings).ancestors(commit)
    environment = last_environment(runs)
    store = BlobStore(settings.data_dir.resolve() / "blobs")
    evidence = {sha256: store.path(sha256) for run in plain for sha256 in evidence_files(run)}
    sizes = {sha256: path.stat().st_size for sha256, path in evidence.items()}
    packed = tuple(pack_run(run, sizes=sizes) for run in plain)
    baseline = _baseline(session, project, view)
    records = record_entries(
        session, given.snapshot, _told(given.snapshot, project, view, baseline)
    )
    scope = next(one for one in releases_of(given.snapshot, project.key) if one.key == key)
    contents = PackContents(
        cover=_cover(project, given, result, view, scope, signed, packed),
        check=release_check(result, given, signed),
        records=records,
        baseline=baseline,
        trace=trace_rows(session, project, given, scope, commits),
        risk_policy=risk_policy(given.snapshot, project.key),
        risks=risk_rows(
            given.snapshot, project.key, _by_key(project, given.verdicts), given.facts.qa
        ),
        runs=packed,
        not_run=_not_run(given, project, scope),
        deviations=tuple(one for run in plain for one in pack_deviations(run)),
        anomalies=registers.anomalies(given.snapshot, key),
        soup=registers.soup(given.snapshot, key, environment),
        components=registers.components(given.snapshot, project.key, environment),
        signatures=_signatures(view.signatures),
        ledger=Ledger(head={"seq": signed.seq, "hash": signed.hash, "at": rfc3339(signed.written)}),
        device=registers.device(given.snapshot, project.key),
        changes=registers.changes(given.snapshot, project.key),
        competence=registers.competence(given.snapshot, project.key, _who(view, packed)),
        log_issues=log_issues(given.snapshot, project.key, key),
    )
    return contents, evidence


def _until(run: dict[str, Any], signed: FinalSignature) -> dict[str, Any]:
    """Return a run without what was noted of it after the release was signed."""
    events = [one for one in run["events"] if datetime.fromisoformat(one["at"]) <= signed.until]
    return {**run, "events": events}


def _baseline(session: Session, project: Project, release: RecordView) -> Baseline:
    baseline = find_baseline(session, project, str(release.fields.get("baseline") or ""))
    return Baseline(
        name=f"Baseline {baseline.number} of {project.key}",
        entries=tuple(
            BaselineEntry(
                project=line.project, uid=line.uid, revision=line.revision, digest=line.digest
            )
            for line in sorted(lines_of(session, baseline))
        ),
        root=baseline.root,
    )


def _told(
    snapshot: Snapshot, project: Project, release: RecordView, baseline: Baseline
) -> list[Key]:
    """Return the records that the pack holds in full: the baseline, the release, the issues."""
    frozen = [Key(line.project, line.uid) for line in baseline.entries]
    issues = [one.key for kind in ISSUES for one in snapshot.of_type(kind, project.key)]
    return [*dict.fromkeys([*frozen, release.key, *issues])]


def _cover(
    project: Project,
    given: RuleInput,
    result: CheckResult,
    release: RecordView,
    scope: ReleaseScope,
    signed: FinalSignature,
    runs: Sequence[Run],
) -> Cover:
    device = next(iter(given.snapshot.of_type("project", project.key)), None)
    organisation = str(device.fields.get("manufacturer") or "") if device else ""
    version = str(release.fields.get("version") or release.uid)
    passing = [test for test in scope.tests if _passed(given.verdicts, test)]
    released = f"Released {signed.at.date().isoformat()}." if result.passed else "Not releasable."
    words = (
        f"{released} {result.sentence.replace(' pass', ' checks pass')}; {len(passing)} of "
        f"{len(scope.tests)} tests of the release passed."
    )
    clinical = "For clinical use" if release.fields.get("clinical_use") else NOT_CLINICAL
    revision = "" if release.revision == 1 else f"-r{release.revision}"
    return Cover(
        product=project.title,
        project=project.key,
        version=version,
        document=f"{project.key}-VP-{version}{revision}",
        organisation=organisation,
        tag=str(release.fields.get("git_tag") or ""),
        commit=str(release.fields.get("commit") or ""),
        verdict=words,
        passed=result.passed,
        frozen_at=signed.at,
        demonstration=project.demonstration,
        scope=_scope(clinical, str(release.fields.get("purpose") or "")),
        highlights=highlights(result, runs),
    )


def highlights(result: CheckResult, runs: Sequence[Run]) -> tuple[Fact, ...]:
    """Return what the cover says beside the verdict: nothing that was asked otherwise is silent."""
    facts = [
        Fact(label="Attempts at a protocol", value=_attempts(runs)),
        Fact(label="Warnings", value=str(result.warnings)),
    ]
    not_asked = [rule.code for rule in result.rules if rule.reason]
    if not_asked:
        facts.append(Fact(label="Checks that do not apply here", value=", ".join(not_asked)))
    if result.changes:
        told = "; ".join(result.changes)
        facts.append(Fact(label="Asked otherwise than the product ships", value=told))
    return tuple(facts)


def _scope(clinical: str, purpose: str) -> str:
    """Say for what the release is meant; a purpose that says it already is not repeated."""
    said = clinical.lower() in purpose.lower()
    return purpose if said else f"{clinical}. {purpose}".strip()


def _attempts(runs: Sequence[Run]) -> str:
    told = [f"run {run.number} ({run.protocol}) {run.state}" for run in runs]
    return f"{len(runs)}: {', '.join(told)}" if told else "none"


def _passed(verdicts: Mapping[str, Verdict], test: Key) -> bool:
    return test.uid in verdicts and verdicts[test.uid].passed


def _not_run(given: RuleInput, project: Project, scope: ReleaseScope) -> tuple[NotRun, ...]:
    """Return every test of the record without a run, those of the release first."""
    missing = [
        test
        for test in given.snapshot.of_type("test", project.key)
        if not test.withdrawn and test.uid not in given.verdicts
    ]
    missing.sort(key=lambda test: (test.key not in scope.tests, natural_order(test.uid)))
    return tuple(
        NotRun(uid=test.uid, title=test.title, reason=_why_not(test, test.key in scope.tests))
        for test in missing
    )


def _why_not(test: RecordView, of_release: bool) -> str:
    if not of_release:
        return "Not part of this release."
    if test.fields.get("method") == "manual":
        return "A manual test; not yet performed."
    return "No scenario of it was executed."


def _signatures(given: Iterable[SignatureView]) -> tuple[SignatureEntry, ...]:
    return tuple(
        SignatureEntry(
            name=one.name,
            role=one.capacity,
            meaning=one.meaning,
            signed_at=one.at,
            digest=one.envelope_digest,
            signer=one.person_uid,
            reason=one.reason,
        )
        for one in given
    )


def _by_key(project: Project, verdicts: Mapping[str, Verdict]) -> dict[Key, Verdict]:
    return {Key(project.key, uid): verdict for uid, verdict in verdicts.items()}


def _who(release: RecordView, runs: Sequence[Run]) -> dict[str, str]:
    """Return who signed and who tested, by name, with what they did."""
    found: dict[str, str] = {}
    for one in release.signatures:
        found[one.name] = f"{one.meaning} as {one.capacity}"
    for run in runs:
        found.setdefault(run.tester, "executed the runs")
    return found
