"""Nobody signs a release whose check fails: asked before each of its signatures."""

from dataclasses import replace

from sqlmodel import Session

from core.records.models import Project, Record
from core.records.queries import load_snapshot
from core.records.snapshot import Key, Snapshot
from qms.releases.gathering import gather
from qms.rules.check import check
from qms.rules.facts import RuleInput
from qms.rules.packs import framework_pack
from qms.rules.release import SIGNING_CODES


def blocking_findings(session: Session, project: Project, record: Record) -> tuple[str, ...]:
    """Return, in sentences, what keeps a record from being signed; empty for what is no release.

    What only signatures can fulfil does not block the signatures.
    """
    if record.type != "release":
        return ()
    given = _with_latest(session, project, record)
    release = given.snapshot.records[Key(project.key, record.uid)]
    if release.fields.get("stage") == "planned":
        return (f"{record.uid} is planned; make it a candidate first.",)
    result = check(given, framework_pack())
    return tuple(
        f"{rule.code} {finding.sentence}"
        for rule in result.failing
        if rule.code not in SIGNING_CODES
        for finding in rule.findings
        if finding.blocks
    )


def _with_latest(session: Session, project: Project, record: Record) -> RuleInput:
    """Judge the release as it is to be signed, not as an earlier revision may be in force."""
    latest = load_snapshot(session, [project.key], effective=False)
    key = Key(project.key, record.uid)
    release = latest.records[key]
    given = gather(session, project, release)
    if given.snapshot.records[key].revision == release.revision:
        return given
    records = [release if one.key == key else one for one in given.snapshot.records.values()]
    links = [link for link in given.snapshot.links if link.source != key]
    return replace(given, snapshot=Snapshot(records, [*links, *latest.outgoing(key)]))
