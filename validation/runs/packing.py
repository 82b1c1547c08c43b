"""A recorded run in the shape that a validation pack prints. Pure: works on plain values."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from validation.pack.evidence import (
    AttachmentRef,
    Deviation,
    Fact,
    Measurement,
    NotRun,
    Run,
    RunState,
    Scenario,
    SignatureEntry,
    Step,
    StepInput,
    StepState,
)
from validation.protocols.plan import MANUAL
from validation.recorder.evidence import Status
from validation.runs.models import EventKind

Plain = Mapping[str, Any]

LOGS = (
    ("evidence_sha256", "scenario.jsonl", "application/jsonl"),
    ("stdout_sha256", "stdout.txt", "text/plain"),
    ("stderr_sha256", "stderr.txt", "text/plain"),
)
"""Files of a scenario as a whole: where its row names them, and what they are called."""


def pack_run(
    run: Plain,
    signatures: Sequence[SignatureEntry] = (),
    sizes: Mapping[str, int] | None = None,
) -> Run:
    """Return a run, as :func:`validation.runs.plain.run_as_plain` gives it, for a pack.

    A failed or refused run goes into the pack like any other; it is never left out here.

    Parameters
    ----------
    sizes : mapping of SHA-256 to int, optional
        How large each file of the run is; the logs of a scenario are told only with their size.
    """
    device = run["device"]
    return Run(
        number=str(run["number"]),
        protocol=run["protocol"],
        protocol_digest=run["protocol_digest"],
        protocol_approved=_approvals(_executed(run)),
        state=_run_state(run["verdict"]),
        tester=run["tester"]["name"],
        started_at=datetime.fromisoformat(run["started_at"] or run["created_at"]),
        ended_at=_moment(run["ended_at"]),
        tag=device["tag"],
        commit=device["commit"],
        clean=device["clean"],
        engine_digest=run["engine"]["digest"],
        environment=_environment(run),
        scenarios=tuple(_scenario(one, run["tests"], sizes or {}) for one in run["scenarios"]),
        data_sets=tuple(_data(run)),
        predecessor="" if run["predecessor"] is None else str(run["predecessor"]),
        reason=run["reason"],
        signatures=(*signatures, *_signatures(run)),
    )


def _data(run: Plain) -> Iterator[Fact]:
    """Yield each registered data set with its digest, or each file where none is registered."""
    if not run["data_sets"]:
        yield from (Fact(label=one["path"], value=one["sha256"]) for one in run["data"])
    for one in run["data_sets"]:
        if one["digest"]:
            label = f"{one['uid']} {one['title']} {one['version']}".strip()
            yield Fact(label=label, value=one["digest"])


def pack_deviations(run: Plain) -> tuple[Deviation, ...]:
    """Return what did not go as the protocol says: interruptions, changes, refusals, notes."""
    effects = {
        EventKind.INTERRUPTED: "Nothing of the interrupted attempt counts; it was executed again.",
        EventKind.CHANGED: "The run does not pass.",
        EventKind.REFUSED: "Nothing was executed.",
        EventKind.DEVIATION: "",
        EventKind.GIVEN_UP: "Nothing of it counts.",
    }
    found = [event for event in run["events"] if event["kind"] in effects]
    return tuple(
        Deviation(
            uid=f"run {run['number']}, note {at}",
            run=str(run["number"]),
            what=event["text"],
            effect=event["data"].get("effect", "") or effects[EventKind(event["kind"])],
            disposition=event["data"].get("disposition", ""),
            decided_by=_decided_by(event),
        )
        for at, event in enumerate(found, start=1)
    )


def pack_not_run(run: Plain) -> tuple[NotRun, ...]:
    """Return the tests of the run's release that no scenario executed, and why."""
    reasons = {True: "No scenario of it was executed.", False: "A manual test; not yet performed."}
    return tuple(
        NotRun(uid=test["uid"], title=test["title"], reason=reasons[test["automated"]])
        for test in run["tests"]
        if test["verdict"] == "not run"
    )


def evidence_files(run: Plain) -> dict[str, str]:
    """Return the SHA-256 of every file the run kept, with its media type."""
    kept: dict[str, str] = {}
    for scenario in run["scenarios"]:
        kept.update({scenario[key]: media_type for key, _, media_type in LOGS})
        for step in scenario["steps"]:
            kept.update({one["sha256"]: one["media_type"] for one in step["attachments"]})
    return kept


def entry_files(run: Plain) -> dict[str, str]:
    """Return what a tester gave to the steps of a run by hand, signed or not, by SHA-256."""
    entries = [event for event in run["events"] if event["kind"] == EventKind.ENTRY]
    return {one["sha256"]: one["media_type"] for e in entries for one in e["data"]["attachments"]}


def _executed(run: Plain) -> list[Plain]:
    """Return the tests that a run is there to execute: a person's, or all but a person's."""
    by_hand = run["protocol"] == MANUAL
    return [test for test in run["tests"] if test["automated"] is not by_hand]


def _decided_by(event: Plain) -> str:
    """Name who noted it, and as what they signed what was decided."""
    signed = event["data"].get("signed")
    return f"{event['by']}, signed as {signed['role'].replace('_', ' ')}" if signed else event["by"]


def _signatures(run: Plain) -> tuple[SignatureEntry, ...]:
    """Return who signed the run itself: the tester of a run by hand."""
    return tuple(
        SignatureEntry(
            name=event["by"],
            role=event["data"]["role"].replace("_", " "),
            meaning=event["data"]["meaning"],
            signed_at=datetime.fromisoformat(event["at"]),
            digest=event["data"]["digest"],
            signer=event["data"]["uid"],
        )
        for event in run["events"]
        if event["kind"] == EventKind.SIGNED
    )


def _approvals(tests: Sequence[Plain]) -> str:
    """Say who approved the executed tests, and until when the last approval took."""
    approved = [test for test in tests if test["approved_at"]]
    if not approved:
        return ""
    names = sorted({test["approved_by"] for test in approved})
    last = max(test["approved_at"] for test in approved)
    return f"{len(approved)} tests approved by {', '.join(names)}, the last at {last}"


def _environment(run: Plain) -> tuple[Fact, ...]:
    held = run["environment"]
    if run["protocol"] == MANUAL:
        return (
            Fact(label="Executed by hand at", value=held["site"]),
            Fact(label="On", value=held["machine"]),
            *(Fact(label="With", value=one) for one in held["tools"]),
        )
    labels = {
        "machine": "Machine",
        "architecture": "Architecture",
        "processors": "Processors",
        "os": "Operating system",
        "kernel": "Kernel",
        "python": "Python",
        "lock_digest": "Package lock SHA-256",
        "packages_digest": "Installed packages digest",
        "confinement": "Step code confined by",
    }
    facts = [
        Fact(label=label, value=str(held[name])) for name, label in labels.items() if held.get(name)
    ]
    facts.append(Fact(label="Engine version", value=run["engine"]["version"]))
    facts.append(Fact(label="Manifest (app.yaml) SHA-256", value=run["device"]["manifest_digest"]))
    facts.extend(
        Fact(label=f"Model {name} SHA-256", value=digest)
        for name, digest in sorted(held.get("models", {}).items())
    )
    return tuple(facts)


def _scenario(scenario: Plain, tests: Sequence[Plain], sizes: Mapping[str, int]) -> Scenario:
    revisions = {test["uid"]: test["revision"] for test in tests}
    row = ", ".join(f"{name} {value}" for name, value in scenario["example"].items())
    return Scenario(
        test=scenario["test"] or "",
        test_revision=revisions.get(scenario["test"]),
        title=scenario["title"] + (f" ({row})" if row else ""),
        feature=scenario["feature"],
        state=_step_state(scenario["status"]),
        started_at=_moment(scenario["started_at"]),
        seconds=scenario["seconds"] or 0.0,
        steps=tuple(_step(step) for step in scenario["steps"]),
        files=tuple(
            AttachmentRef(
                name=name, sha256=scenario[key], size=sizes[scenario[key]], media_type=media_type
            )
            for key, name, media_type in LOGS
            if scenario[key] in sizes
        ),
    )


def _step(step: Plain) -> Step:
    return Step(
        keyword=step["keyword"],
        text=step["text"],
        state=_step_state(step["status"]),
        started_at=_moment(step["started_at"]),
        seconds=step["seconds"] or 0.0,
        inputs=tuple(StepInput(name=k, value=v) for k, v in step["inputs"].items()),
        measurements=tuple(Measurement(**one) for one in step["measurements"]),
        attachments=tuple(AttachmentRef(**one) for one in step["attachments"]),
        message=step["failure"],
    )


def _run_state(verdict: str) -> RunState:
    match verdict:
        case "passed":
            return "passed"
        case "running" | "queued" | "stopped" | "given up":
            return "interrupted"
    return "failed"


def _step_state(status: str) -> StepState:
    """Fold our statuses: only "passed" passes, a step that was not reached did not run."""
    match status:
        case Status.PASSED:
            return "passed"
        case Status.NOT_REACHED:
            return "not run"
    return "failed"


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
