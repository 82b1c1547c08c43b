"""Hold a request for a run against the record: what it refers to, and every fault it has."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Fault, Invalid, NotFound
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.snapshot import Key, RecordView, Snapshot
from qms.repositories.models import Repository, RepositoryTag
from qms.repositories.service import tag_and_repository
from validation.protocols.plan import NUMERICAL, VERIFICATION, TestRecord, approval_faults
from validation.runs.data import data_files
from validation.runs.models import Run

PROTOCOLS = (VERIFICATION, NUMERICAL)


@dataclass(frozen=True)
class RunRequest:
    """What a person asks for.

    Attributes
    ----------
    release : str
        A release's uid or version. A numerical comparison may leave it out: it then takes the
        newest release whose tag the repository has.
    predecessor, reason : int or None, str
        The run this one repeats, and why; asked for when the same protocol ran before.
    data : Path or None
        The data folder of a numerical comparison, on the server.
    data_within : tuple of Path or None
        The folders that the data folder must lie in; None for whoever may read any.
    """

    release: str = ""
    protocol: str = VERIFICATION
    predecessor: int | None = None
    reason: str = ""
    data: Path | None = None
    data_within: tuple[Path, ...] | None = None


@dataclass(frozen=True)
class Asked:
    """A request that can be granted, with what it refers to.

    Attributes
    ----------
    before, newest : Run or None
        The run that it repeats, and the last one of its protocol, which may be another.
    """

    snapshot: Snapshot
    release: RecordView
    counts: bool
    place: tuple[RepositoryTag, Repository]
    tests: list[TestRecord]
    data_sets: list[RecordView]
    before: Run | None
    newest: Run | None


def examine(session: Session, project: Project, request: RunRequest) -> Asked:
    """Find everything that a request refers to, or refuse it with every fault."""
    if request.protocol not in PROTOCOLS:
        raise NotFound(
            f"There is no protocol {request.protocol!r}; there are {' and '.join(PROTOCOLS)}."
        )
    counts = request.protocol == VERIFICATION
    # A candidate release is not signed before it was validated, so its latest words count.
    latest = load_snapshot(session, [project.key], effective=False)
    release, faults = _release(session, project, latest, request)
    place, place_faults = place_of(session, project, release)
    snapshot = load_snapshot(session, [project.key])
    tests = _tests(latest, snapshot, release) if counts and release else []
    faults += place_faults
    faults += [fault for test in tests for fault in approval_faults(test)]
    if counts and release and not tests:
        faults.append(
            Fault("release-untested", release.uid, "names no test.", "Link it: tested by.")
        )
    faults += _data_faults(request)
    newest, before, rerun_faults = _before(session, project, request, release if counts else None)
    faults += rerun_faults
    if faults or place is None or release is None:
        raise Invalid("The run cannot be started.", faults)
    data_sets = _data_sets(snapshot, project, tests)
    return Asked(latest, release, counts, place, tests, data_sets, before, newest)


def _release(
    session: Session, project: Project, latest: Snapshot, request: RunRequest
) -> tuple[RecordView | None, list[Fault]]:
    """Find the release that is asked for, by uid or version."""
    releases = [one for one in latest.of_type("release", project.key) if not one.withdrawn]
    if not request.release and request.protocol == NUMERICAL:
        tagged = [one for one in releases if _has_tag(session, project, one)]
        return (tagged[-1], []) if tagged else (None, [])
    for release in releases:
        if request.release in (release.uid, release.fields.get("version")):
            return release, []
    return None, [
        Fault(
            "release-unknown",
            request.release or "release",
            f"is no release of {project.key}.",
            f"Name one of: {', '.join(one.uid for one in releases) or 'none yet'}.",
        )
    ]


def _has_tag(session: Session, project: Project, release: RecordView) -> bool:
    tag = str(release.fields.get("git_tag") or "")
    return bool(tag) and tag_and_repository(session, project.key, tag) is not None


def place_of(
    session: Session, project: Project, release: RecordView | None
) -> tuple[tuple[RepositoryTag, Repository] | None, list[Fault]]:
    """Find the commit that the release's tag names in the project's repositories."""
    if release is None:
        return None, [
            Fault(
                "tag-missing",
                project.key,
                "has no release whose tag its repositories hold.",
                "Give the release its Git tag and scan the repository.",
            )
        ]
    where, tag = release.key.uid, release.fields.get("git_tag") or ""
    if not tag:
        mend = "Write the tag into the release."
        return None, [Fault("tag-missing", where, "names no Git tag.", mend)]
    found = tag_and_repository(session, project.key, tag)
    if found is None:
        return None, [
            Fault(
                "tag-missing",
                where,
                f"names the tag {tag}, which no repository of {project.key} has.",
                "Push the tag and scan the repository.",
            )
        ]
    stated = release.fields.get("commit") or ""
    if stated and stated != found[0].sha:
        return None, [
            Fault(
                "tag-moved",
                where,
                f"states commit {stated[:12]}, but its tag {tag} names {found[0].sha[:12]}.",
                "A tag of a release is never moved; make a new release.",
            )
        ]
    return found, []


def _tests(latest: Snapshot, snapshot: Snapshot, release: RecordView) -> list[TestRecord]:
    """Return the tests that the release names, as they are in force now."""
    return [
        record_of(link.target, snapshot.records.get(link.target), latest)
        for link in latest.outgoing(release.key, "tested_by")
    ]


def _data_sets(snapshot: Snapshot, project: Project, tests: list[TestRecord]) -> list[RecordView]:
    """Return the data sets in force, with a digest, that the automated tests run on."""
    named = {
        link.target
        for test in tests
        if test.automated
        for link in snapshot.outgoing(Key(project.key, test.uid), "data")
    }
    return [
        one
        for one in snapshot.of_type("dataset", project.key)
        if one.key in named and one.in_force and not one.withdrawn and one.fields.get("digest")
    ]


def record_of(key: Key, view: RecordView | None, latest: Snapshot) -> TestRecord:
    """Return what a run needs to know of a test; one that is not in force has no revision."""
    if view is None or view.withdrawn or not view.in_force:
        known = latest.records.get(key)
        title, state = (known.title, known.state) if known else (key.uid, "missing")
        return TestRecord(key.uid, title, state=state)
    approval = next((one for one in view.signatures if one.meaning == "approved"), None)
    return TestRecord(
        uid=key.uid,
        title=view.title,
        state=view.state,
        automated=view.fields.get("method") != "manual",
        revision=view.revision,
        content_digest=view.content_digest,
        approved_at=view.approved_at,
        approved_by=approval.signer if approval else "",
    )


def _data_faults(request: RunRequest) -> list[Fault]:
    if request.protocol != NUMERICAL:
        if request.data is None:
            return []
        return [
            Fault(
                "data-not-taken",
                str(request.data),
                "is not used: the data of a release's tests are part of the protocol.",
                "Leave the data folder out, or ask for the numerical protocol.",
            )
        ]
    if request.data is None:
        mend = "Name the folder of the data."
        return [Fault("data-missing", "data", "a numerical comparison needs a data folder.", mend)]
    if request.data_within is not None and not _lies_in(request.data, request.data_within):
        # Nothing is said of what there is: the folder was not for this person to look into.
        what = "lies in none of the folders from which a program may take data."
        mend = "Put the data into a folder of FIDUCIAL_RUN_DATA_SOURCES, or use the command."
        return [Fault("data-not-allowed", str(request.data), what, mend)]
    try:
        data_files(request.data)
    except Invalid as refusal:
        return list(refusal.faults)
    return []


def _lies_in(folder: Path, sources: tuple[Path, ...]) -> bool:
    real = folder.resolve()
    return any(real.is_relative_to(one.resolve()) for one in sources)


def _before(
    session: Session, project: Project, request: RunRequest, release: RecordView | None
) -> tuple[Run | None, Run | None, list[Fault]]:
    """Find the newest run of the protocol and the one that is repeated, and ask why it is."""
    query = select(Run).where(
        col(Run.project_id) == project.id, col(Run.protocol) == request.protocol
    )
    if release is not None:
        query = query.where(col(Run.release_uid) == release.uid)
    query = query.order_by(col(Run.number).desc()).limit(1)
    newest = before = session.scalars(query).first()
    if request.predecessor is not None:
        before = session.scalars(query.where(col(Run.number) == request.predecessor)).first()
    if before is None:
        if request.predecessor is None:
            return None, None, []
        where = f"run {request.predecessor}"
        mend = "Name a run of the same protocol and release."
        return (
            newest,
            None,
            [Fault("predecessor-unknown", where, "is not what is repeated here.", mend)],
        )
    if request.protocol == VERIFICATION and not request.reason.strip():
        return (
            newest,
            before,
            [
                Fault(
                    "reason-missing",
                    "reason",
                    f"run {before.number} executed this already.",
                    "Say why it is executed again; the earlier run stays as it is.",
                )
            ],
        )
    return newest, before, []
