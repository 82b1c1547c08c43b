"""The job that executes a run: one remembered step per scenario, so a crash costs one scenario.

Whatever ends the worker, the next attempt unpacks the repository afresh, sees which scenarios are
recorded, executes the rest and notes the interruption. A scenario's rows are written in the one
transaction that also remembers its step, so it can neither be half there nor count twice.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import make_url

from core.blobs import BlobStore
from core.errors import Fault, Invalid, NotFound
from core.jobs.context import JobContext, JsonDict
from core.settings import DATA_SETS, Settings
from engine.provenance import ENGINE_VERSION, engine_digest
from qms.repositories.service import mirror_of
from validation.protocols.manifest import read_manifest
from validation.protocols.plan import NUMERICAL, Planned, plan_numerical, plan_release
from validation.protocols.reading import Protocol, read_protocol
from validation.recorder.evidence import ScenarioEvidence, Status
from validation.runs import recording
from validation.runs.checkout import Checkout, check_out, differences
from validation.runs.data import KIND as DIGEST_KIND
from validation.runs.data import RunData, changes, refuse_private, same_digest, set_digests
from validation.runs.environment import describe_environment
from validation.runs.execute import EVIDENCE_NAME, limits_of, run_scenario
from validation.runs.installation import check_installation, installation_at_end
from validation.runs.recording import Beginning, Executable
from validation.runs.scenario_rows import Kept, keep_files, record

KIND = "validation.run"

SIGN_OF_LIFE_S = 10.0
"""A scenario may take long between two steps; its lease is renewed well before it lapses."""


def run(ctx: JobContext) -> JsonDict:
    """Execute the run that the payload names, from where the last attempt left it."""
    with ctx.db.reading() as session:
        executable = recording.executable(session, int(ctx.payload["run"]))
    # The child changes its folder, so every path it is given is absolute.
    own = ctx.settings.data_dir.resolve() / "runs" / str(executable.run_id)
    _note_interruptions(ctx, executable, own)
    told = {
        "run": executable.number,
        "address": f"/p/{executable.project}/runs/{executable.number}",
    }
    if executable.ended:
        shutil.rmtree(own, ignore_errors=True)
        return {**told, "state": executable.state}
    folder = own / f"attempt-{ctx.attempt}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        bench = _prepare(ctx, executable, folder)
    except (Invalid, NotFound) as refusal:
        result = ctx.step("refuse", partial(recording.refuse, executable=executable, why=refusal))
    else:
        result = _execute(bench)
    shutil.rmtree(own, ignore_errors=True)
    return {**told, **result}


@dataclass(frozen=True)
class _Bench:
    """Everything a run is executed with in this attempt."""

    ctx: JobContext
    executable: Executable
    checkout: Checkout
    planned: tuple[Planned, ...]
    folder: Path
    store: BlobStore
    models: Mapping[str, str]
    data: RunData | None


def _prepare(ctx: JobContext, executable: Executable, folder: Path) -> _Bench:
    """Unpack the commit, read the protocol and record what the run begins with."""
    ctx.progress(0, 1, f"Unpacking {executable.tag}")
    mirror = mirror_of(ctx.settings, executable.repository_id)
    checkout = check_out(mirror.path, executable.tag, folder / "checkout")
    if checkout.commit != executable.commit:
        raise NotFound(
            f"The tag {executable.tag} named commit {executable.commit[:12]} when the run was "
            f"started and names {checkout.commit[:12]} now; a tag of a release is never moved."
        )
    ctx.progress(0, 1, "Reading the protocol")
    manifest = read_manifest(checkout.folder, ENGINE_VERSION)
    protocol = read_protocol(
        checkout.folder, folder / "listing", protected=protected_files(ctx.settings)
    )
    planned = _plan(executable, protocol)
    data = data_of(ctx.settings, executable)
    frozen = _freeze(ctx, executable, data)
    environment = describe_environment(manifest.models)
    beginning = Beginning(
        manifest_digest=protocol.manifest_digest,
        protocol_digest=protocol.digest,
        engine_version=ENGINE_VERSION,
        engine_digest=engine_digest(),
        environment=environment,
        data=frozen,
        steps_planned=sum(len(one.scenario.steps) for one in planned),
    )
    ctx.progress(0, 1, "Checking the installation")
    begun = ctx.step(
        "begin",
        work=partial(check_installation, environment),
        commit=lambda session, found: recording.begin(session, executable, beginning, found),
    )
    recording.refuse_another_beginning(begun, beginning)
    store = BlobStore(ctx.settings.data_dir.resolve() / "blobs")
    return _Bench(ctx, executable, checkout, planned, folder, store, manifest.models, data)


def data_of(settings: Settings, executable: Executable) -> RunData | None:
    """Return the data that a run is given: registered sets, a folder that was named, or none."""
    if executable.registered:
        return RunData(settings.data_sets_dir / executable.project, tuple(executable.registered))
    return RunData(executable.data_folder) if executable.data_folder else None


def _freeze(ctx: JobContext, executable: Executable, data: RunData | None) -> list[JsonDict]:
    """Return every file of the run's data; refuse data that is not what was registered."""
    if data is None:
        return []
    if not data.sets:
        refuse_private(data.folder, protected_files(ctx.settings))
        return data.freeze()
    own = ctx.settings.data_dir.resolve() / DATA_SETS
    for part in data.parts:
        if not part.resolve().is_relative_to(own):
            refuse_private(part, protected_files(ctx.settings))
    ctx.progress(0, 1, f"Hashing {', '.join(data.sets)}")
    frozen = data.freeze()
    found = set_digests(frozen, data.sets)
    faults = [
        Fault(
            "data-differs",
            uid,
            f"has the digest {found[uid][:12]} in {data.folder / uid}, and is registered with "
            f"{registered.removeprefix(DIGEST_KIND)[:12]}.",
            "Put the registered files there, or register the new ones as a new version.",
        )
        for uid, registered in executable.registered.items()
        if not same_digest(registered, found[uid])
    ]
    if faults:
        raise Invalid("The data are not those that are registered.", faults)
    return frozen


def protected_files(settings: Settings) -> tuple[Path, ...]:
    """Return what step code cannot read: the data folder, and SQLite's files beside it."""
    folder = settings.data_dir.resolve()
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        return (folder,)
    database = Path(url.database).resolve()
    beside = ("", "-wal", "-shm", "-journal")
    return (folder, *(database.with_name(database.name + end) for end in beside))


def _plan(executable: Executable, protocol: Protocol) -> tuple[Planned, ...]:
    if executable.protocol == NUMERICAL:
        planned, faults = plan_numerical(protocol.listing)
    else:
        planned, faults = plan_release(protocol.listing, executable.tests, executable.known_tests)
    if faults:
        raise Invalid("The protocol cannot be executed as it was approved.", faults)
    return planned


def _execute(bench: _Bench) -> JsonDict:
    """Execute what no earlier attempt has recorded, then close the run."""
    executable = bench.executable
    total = sum(len(one.scenario.steps) for one in bench.planned)
    done = failed = 0
    for planned in bench.planned:
        recorded = bench.ctx.step(
            planned.step_name,
            work=partial(_work, bench, planned, _follower(bench.ctx, planned, done, total, failed)),
            commit=lambda session, kept: record(session, executable, kept),
        )
        done += len(planned.scenario.steps)
        failed += recorded["status"] != Status.PASSED
    changed = _changes(bench)
    result: JsonDict = bench.ctx.step(
        "finish",
        partial(
            recording.finish,
            executable=executable,
            changed=changed,
            installation=installation_at_end(bench.models),
        ),
    )
    return result


def _work(bench: _Bench, planned: Planned, follow: Callable[[ScenarioEvidence], None]) -> Kept:
    """Do the slow half of a step: execute the scenario and make its files durable."""
    executed = run_scenario(
        bench.checkout.folder,
        planned.scenario,
        bench.folder / planned.step_name.replace(":", "-"),
        limits=limits_of(bench.ctx.settings.scenario_minutes),
        data=bench.data,
        protected=protected_files(bench.ctx.settings),
        on_step=follow,
    )
    return keep_files(bench.store, planned, executed)


def _changes(bench: _Bench) -> tuple[str, ...]:
    """Name what the scenarios changed of the repository's files and of the frozen data."""
    changed = differences(bench.checkout)
    if bench.data is None:
        return changed
    with bench.ctx.db.reading() as session:
        frozen = recording.frozen_data(session, bench.executable)
    return (*changed, *(f"{one} (data)" for one in changes(frozen, bench.data.freeze())))


def _follower(
    ctx: JobContext, planned: Planned, before: int, total: int, failed: int
) -> Callable[[ScenarioEvidence], None]:
    """Return what tells how far the run is while a scenario is executed."""
    name = f"{planned.test or NUMERICAL} {planned.scenario.title}"
    last = (-1, 0.0)

    def follow(evidence: ScenarioEvidence) -> None:
        nonlocal last
        reached = sum(step.status != Status.NOT_REACHED for step in evidence.steps)
        if reached == last[0] and time.monotonic() - last[1] < SIGN_OF_LIFE_S:
            return
        last = (reached, time.monotonic())
        at = before + max(reached - 1, 0)
        ctx.progress(at, total, f"{at} of {total} steps, {failed} scenarios not passed: {name}")

    return follow


def _note_interruptions(ctx: JobContext, executable: Executable, own: Path) -> None:
    """Leave a lasting note of each attempt that was cut short, with what it had done so far."""
    for attempt in ctx.interrupted_attempts:
        note = partial(
            recording.note_interruption,
            executable=executable,
            attempt=attempt,
            left=_left_behind(own / f"attempt-{attempt.number}"),
        )
        ctx.step(f"interrupted attempt {attempt.number}", note)


def _left_behind(folder: Path) -> list[ScenarioEvidence]:
    """Return the evidence files of an attempt; each is whole, because it is written atomically."""
    return [ScenarioEvidence.read(path) for path in sorted(folder.glob(f"*/out/{EVIDENCE_NAME}"))]
