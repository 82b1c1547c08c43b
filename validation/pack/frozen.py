"""A release as it stood at its final signature, so that later work changes no pack.

Records may be revised, reviewed, withdrawn and executed again after a release. A pack built next
year shows the revisions in force, the reviews and the runs of the moment the last signature was
given, whatever has happened since.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core import ports
from core.db import chunks
from core.errors import Conflict
from core.ledger.brought import acts, acts_like, told
from core.ledger.models import LedgerEntry
from core.records.acceptance import unaccepted
from core.records.models import Link, LinkReview, Project, Record, Revision
from core.records.queries import suspect_end
from core.records.snapshot import Key, LinkView, RecordView, SignatureView, Snapshot
from core.records.suspects import Reviewed, direct_suspicions
from core.records.types import get_registry
from core.signing.models import Signature
from qms.baselines.current import project_snapshot
from qms.releases.gathering import audit_fact, declared, gather
from qms.releases.outside import imported_for, marked_lines
from qms.rules.facts import RuleInput, RunOfTest
from qms.soup.components import Component
from validation.protocols.plan import MANUAL, NUMERICAL, VERIFICATION
from validation.runs.bill import components, loaded_packages
from validation.runs.models import Run, RunState
from validation.runs.verdicts import verdicts


@dataclass(frozen=True)
class FinalSignature:
    """The moment a release came into force.

    Attributes
    ----------
    seq, hash, written : int, str, datetime
        The entry of this audit trail that tells of it: the head then. Where the release was signed
        in another installation it is the entry that brought the news, written later than `until`.
    at : datetime
        When the last signature was given.
    until : datetime
        When the release came into force, wherever that was; nothing later belongs to it.
    """

    revision: Revision
    seq: int
    hash: str
    written: datetime
    at: datetime
    until: datetime


def final_signature(session: Session, project: Project, record: Record) -> FinalSignature:
    """Return the moment the release in force was signed last.

    Raises
    ------
    Conflict
        If the release is not in force.
    """
    if record.effective_id is None:
        raise Conflict(f"{record.uid} is not signed yet.")
    revision = session.get_one(Revision, record.effective_id)
    entries = session.scalars(
        select(LedgerEntry)
        .where(
            acts(f"record:{record.type}:approve"),
            col(LedgerEntry.project_id) == project.id,
            col(LedgerEntry.subject) == record.uid,
        )
        .order_by(col(LedgerEntry.seq).desc())
    )
    for entry in map(told, entries):
        if entry.details["envelope"] == revision.envelope_digest:
            given = session.scalars(
                select(col(Signature.at))
                .where(
                    col(Signature.revision_id) == revision.id,
                    col(Signature.envelope_digest) == revision.envelope_digest,
                )
                .order_by(col(Signature.id).desc())
            ).first()
            return FinalSignature(
                revision, entry.seq, entry.hash, entry.written, given or entry.at, entry.at
            )
    raise Conflict(f"The audit trail does not say when {record.uid} was approved.")


def frozen_input(
    session: Session, project: Project, release: Key, signed: FinalSignature
) -> RuleInput:
    """Return what the release check looked at when the release was signed."""
    keys = sorted({key.project for key in project_snapshot(session, project).records})
    snapshot = snapshot_at(session, keys, signed)
    given = gather(session, project, snapshot.records[release], snapshot)
    commit = str(snapshot.records[release].fields.get("commit") or "")
    bill = _bill(session, project, snapshot.records[release], signed)
    then = snapshot.records[release]
    facts = replace(
        given.facts,
        today=signed.at.date(),
        runs=[
            _noted_until(one, signed)
            for one in given.facts.runs
            if (one.ended_at or one.started_at) <= signed.until
        ],
        bill=bill,
        audit=audit_fact(session, signed.until, project),
        declared=declared(session, project, snapshot.records[release], bill),
        unaccepted=unaccepted(session, project, until=signed.until),
        imported=imported_for(session, project.key, then, signed.until),
        lines=marked_lines(session, project, then, signed.until),
        # How QA stands changes by the day; a release is judged by what its signers could see.
        qa=ports.qa_controls(session, project.key, signed.at),
    )
    return replace(
        given,
        snapshot=snapshot,
        verdicts=verdicts(session, project.key, commit, until=signed.until),
        suspects=direct_suspicions(snapshot, _reviews(session, signed), suspect_end),
        facts=facts,
    )


def _noted_until(run: RunOfTest, signed: FinalSignature) -> RunOfTest:
    """Return a run without the deviations that were noted of it after a release was signed."""
    noted = tuple(one for one in run.deviations if one.at is None or one.at <= signed.until)
    return replace(run, deviations=noted)


def snapshot_at(session: Session, projects: Sequence[str], signed: FinalSignature) -> Snapshot:
    """Return every record of some projects as it was in force when a release was signed."""
    rows = session.execute(
        select(Record, col(Project.key))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Project.key).in_(projects), col(Record.created_at) <= signed.until)
    ).all()
    revisions: dict[int, list[Revision]] = defaultdict(list)
    for chunk in chunks(record.id or 0 for record, _ in rows):
        for revision in session.scalars(
            select(Revision)
            .where(col(Revision.record_id).in_(chunk))
            .order_by(col(Revision.number))
        ):
            revisions[revision.record_id].append(revision)
    moved = _states_before_moves(session, {record.project_id for record, _ in rows}, signed)
    chosen = [
        (record, Key(key, record.uid), _revision_then(revisions[record.id or 0], signed))
        for record, key in rows
    ]
    signatures = _signatures(session, [one.id or 0 for _, _, one in chosen], signed)
    views = [
        _view(record, key, revision, signatures.get(revision.id or 0, ()), signed, moved)
        for record, key, revision in chosen
    ]
    return Snapshot(views, _links(session, {one.id or 0: key for _, key, one in chosen}))


def _revision_then(held: Sequence[Revision], signed: FinalSignature) -> Revision:
    """Return the revision in force then, or else the latest there was."""
    in_force = [
        one for one in held if one.approved_at is not None and one.approved_at <= signed.until
    ]
    there = [one for one in held if one.created_at <= signed.until]
    return (in_force or there or held[:1])[-1]


def _view(
    record: Record,
    key: Key,
    revision: Revision,
    signatures: Sequence[SignatureView],
    signed: FinalSignature,
    moved: Mapping[tuple[int, str, int], str],
) -> RecordView:
    withdrawn = record.withdrawn_at is not None and record.withdrawn_at <= signed.until
    approved = revision.approved_at is not None and revision.approved_at <= signed.until
    state = revision.state
    if get_registry().of(record.type).lifecycle == "issue":
        state = moved.get((record.project_id, record.uid, revision.number), state)
    elif not approved and state == "approved":
        state = "draft"
    return RecordView(
        key=key,
        type=record.type,
        title=revision.title,
        body=revision.body,
        fields=revision.fields or {},
        state="withdrawn" if withdrawn else state,
        revision=revision.number,
        author=revision.author_name,
        author_uid=revision.author_uid,
        co_authors=tuple(revision.co_authors),
        approved_at=revision.approved_at if approved else None,
        content_digest=revision.content_digest,
        envelope_digest=revision.envelope_digest,
        fingerprint=revision.fingerprint,
        signatures=tuple(
            one for one in signatures if one.envelope_digest == revision.envelope_digest
        ),
        withdrawn=withdrawn,
        in_force=approved and not withdrawn,
    )


def _states_before_moves(
    session: Session, projects: Collection[int], signed: FinalSignature
) -> dict[tuple[int, str, int], str]:
    """Return the state that each issue revision had, of those that were moved afterwards."""
    found: dict[tuple[int, str, int], str] = {}
    entries = session.scalars(
        select(LedgerEntry)
        .where(acts_like("record:%:move"), col(LedgerEntry.project_id).in_(projects))
        .order_by(col(LedgerEntry.seq))
    )
    for entry in map(told, entries):
        # A linked project may have been imported before the release, so that numbers say nothing;
        # and the column `at` of what was brought says when it was brought.
        if entry.at > signed.until:
            key = (entry.project_id or 0, entry.subject, int(entry.details["revision"]))
            found.setdefault(key, str(entry.details["from"]))
    return found


def _signatures(
    session: Session, revisions: Sequence[int], signed: FinalSignature
) -> dict[int, list[SignatureView]]:
    found: dict[int, list[SignatureView]] = defaultdict(list)
    query = select(Signature).where(col(Signature.at) <= signed.until).order_by(col(Signature.id))
    given = (
        one
        for chunk in chunks(revisions)
        for one in session.scalars(query.where(col(Signature.revision_id).in_(chunk)))
    )
    for one in given:
        view = SignatureView(
            name=one.printed_name,
            person_uid=one.person_uid,
            role=one.role,
            meaning=one.meaning,
            at=one.at,
            envelope_digest=one.envelope_digest,
            reason=one.reason,
            deputy_for=one.deputy_for,
        )
        found[one.revision_id].append(view)
    return found


def _links(session: Session, revisions: Mapping[int, Key]) -> list[LinkView]:
    # The chunks are in order of the revisions, and so is the whole.
    query = (
        select(Link, col(Record.uid), col(Project.key))
        .join(Record, col(Record.id) == col(Link.target_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .order_by(col(Link.revision_id), col(Link.position))
    )
    return [
        LinkView(link.role, revisions[link.revision_id], Key(project, uid), link.attributes or {})
        for chunk in chunks(revisions)
        for link, uid, project in session.execute(
            query.where(col(Link.revision_id).in_(chunk))
        ).all()
    ]


def _reviews(session: Session, signed: FinalSignature) -> dict[tuple[Key, str, Key], Reviewed]:
    keys = {
        number: Key(project, uid)
        for number, project, uid in session.execute(
            select(col(Record.id), col(Project.key), col(Record.uid)).join(
                Project, col(Project.id) == col(Record.project_id)
            )
        )
    }
    reviews = session.scalars(
        select(LinkReview).where(col(LinkReview.at) <= signed.until).order_by(col(LinkReview.id))
    )
    return {
        (keys[one.source_id], one.role, keys[one.target_id]): Reviewed(
            one.source_fingerprint, one.target_fingerprint, one.attributes, one.gone
        )
        for one in reviews
    }


def runs_until(
    session: Session, project: Project, release: Key, commit: str, signed: FinalSignature
) -> list[Run]:
    """Return every attempt that belongs to a release, in order; none is left out.

    These are all runs of its protocol whatever came of them, the comparisons and the runs by hand
    made at its commit, and every attempt that one of them repeats. A run by hand that nobody has
    ended says nothing yet, and next year it would say something else.
    """
    everything = {
        run.number: run
        for run in session.scalars(
            select(Run)
            .where(col(Run.project_id) == project.id, col(Run.created_at) <= signed.until)
            .order_by(col(Run.number))
        )
        if (run.protocol != MANUAL if run.ended_at is None else run.ended_at <= signed.until)
    }
    waiting = [
        run.number
        for run in everything.values()
        if run.release_uid == release.uid
        or (run.protocol in (NUMERICAL, MANUAL) and run.commit == commit)
    ]
    wanted: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number not in wanted:
            wanted.add(number)
            before = everything[number].predecessor
            waiting += [before] if before in everything else []
    return [run for number, run in everything.items() if number in wanted]


def last_environment(runs: Sequence[Run]) -> Mapping[str, Any]:
    """Return what the last complete run of the release's protocol recorded of its machine."""
    complete = [
        run for run in runs if run.protocol == VERIFICATION and run.state == RunState.COMPLETE
    ]
    return complete[-1].environment if complete else {}


def _bill(
    session: Session, project: Project, release: RecordView, signed: FinalSignature
) -> list[Component] | None:
    commit = str(release.fields.get("commit") or "")
    environment = last_environment(runs_until(session, project, release.key, commit, signed))
    return components(environment, loaded_packages()) if environment else None
