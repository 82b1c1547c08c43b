"""Whether the parts of a pack agree with each other.

Asked by the builder before it signs and by the verifier afterwards, on the JSON of the members
alone. Each function returns sentences, none when everything holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.canonical import NotCanonical, digest
from qms.baselines.comparison import BaselineLine, root_hash
from validation.protocols.plan import MANUAL
from validation.recorder.evidence import Comparison, holds
from validation.runs.signing import execution_digest

Json = Mapping[str, Any]

EVIDENCE_NAME = "scenario.jsonl"
"""What the evidence of a scenario is called among its files."""


def record_faults(record: Json) -> list[str]:
    """Recompute both digests of a record, and see that its signatures bind the second."""
    try:
        content, envelope = digest(record["content"]), digest(record["envelope"])
    except NotCanonical as error:
        return [f"its digest cannot be computed: {error}"]
    faults = []
    if content != record["content_digest"]:
        faults.append(f"its content has the digest {content[:12]}, not the one it states.")
    if envelope != record["envelope_digest"]:
        faults.append(f"its envelope has the digest {envelope[:12]}, not the one it states.")
    if record["envelope"].get("content_digest") != record["content_digest"]:
        faults.append("its envelope holds the digest of another content.")
    stated = record["content"]
    faults += [
        f"its content says {name} {stated.get(name)!r}, not {record[name]!r}."
        for name in ("project", "uid", "type")
        if stated.get(name) != record[name]
    ]
    faults += [
        f"the signature of {signature['name']} is over another revision."
        for signature in record["signatures"]
        if signature["digest"] != record["envelope_digest"]
    ]
    return faults


def baseline_faults(baseline: Json, records: Iterable[Json]) -> list[str]:
    """Recompute the root digest of a baseline, and find each of its revisions among the records."""
    lines = [BaselineLine(**entry) for entry in baseline["entries"]]
    faults = []
    if root_hash(lines) != baseline["root"]:
        faults.append("its entries do not have the root digest it states.")
    held = {
        (record["project"], record["uid"]): (
            record["revision"],
            {record["content_digest"], record["envelope_digest"]},
        )
        for record in records
    }
    for line in lines:
        name = f"{line.uid} of {line.project}"
        number, digests = held.get((line.project, line.uid), (None, set[str]()))
        if number is None:
            faults.append(f"{name} is frozen in it, but the record is not in the pack.")
        elif number != line.revision or line.digest not in digests:
            faults.append(f"it froze another revision of {name} than the pack holds.")
    twice = len(lines) - len({(line.project, line.uid) for line in lines})
    if twice:
        faults.append(f"{twice} of its records stand in it twice.")
    return faults


def release_faults(release: Json) -> list[str]:
    """See that the verdict on the cover is not better than the release check."""
    failing = [
        rule["code"]
        for rule in release["check"]["rules"]
        if rule["level"] == "error" and rule["findings"]
    ]
    if release["cover"]["passed"] and failing:
        return [f"the cover says passed, but these rules fail: {', '.join(failing)}."]
    return []


def run_faults(runs: Sequence[Json]) -> list[str]:
    """See that run numbers are unique, that no predecessor is left out, that verdicts follow."""
    numbers = [run["number"] for run in runs]
    faults = [f"there are two runs {n}." for n in sorted(set(numbers)) if numbers.count(n) > 1]
    for run in runs:
        if run["predecessor"] and run["predecessor"] not in numbers:
            faults.append(
                f"run {run['number']} repeats run {run['predecessor']}, which is not in the pack; "
                "an attempt is never left out."
            )
        if run["state"] == "passed" and not run["scenarios"]:
            faults.append(f"run {run['number']} says passed without a single scenario.")
        faults += _verdict_faults(run)
        faults += _signature_faults(run)
    return faults


def _signature_faults(run: Json) -> list[str]:
    """See that a run by hand is signed, and that what was signed is what the run says."""
    if run["protocol"] != MANUAL:
        return []
    name = f"run {run['number']}"
    faults = []
    if run["state"] != "interrupted" and not run["signatures"]:
        faults.append(f"{name} was executed by hand, and nobody signed it.")
    evidence = [
        file["sha256"]
        for scenario in run["scenarios"]
        for file in scenario["files"]
        if file["name"] == EVIDENCE_NAME
    ]
    held = execution_digest(
        run["number"], run["protocol_digest"], run["tag"], run["commit"], evidence
    )
    faults += [
        f"the signature of {signature['name']} in {name} is over another execution."
        for signature in run["signatures"]
        if signature["digest"] != held
    ]
    return faults


def attachments(runs: Iterable[Json]) -> dict[str, Json]:
    """Return the files of evidence that the runs refer to, by their SHA-256."""
    return {
        file["sha256"]: file
        for run in runs
        for scenario in run["scenarios"]
        for source in (scenario["files"], *(step["attachments"] for step in scenario["steps"]))
        for file in source
    }


def _met(measured: Json) -> bool | None:
    """Compare the figures of a measurement anew; None where they cannot be compared."""
    try:
        return holds(
            Comparison(measured["comparison"]),
            measured["actual"],
            measured["expected"],
            measured["tolerance"],
        )
    except (TypeError, ValueError):
        return None


def _verdict_faults(run: Json) -> list[str]:
    faults = []
    for scenario in run["scenarios"]:
        where = f"run {run['number']}, {scenario['test']}"
        states = [step["state"] for step in scenario["steps"]]
        if scenario["state"] == "passed" and not (states and set(states) == {"passed"}):
            faults.append(f"{where} says passed, but not every step of it passed.")
        faults += [
            f"{where}: the step {step['text'][:60]!r} says passed, but a measurement failed."
            for step in scenario["steps"]
            if step["state"] == "passed" and not all(m["passed"] for m in step["measurements"])
        ]
        faults += [
            f"{where}: {measured['name']!r} says {'' if measured['passed'] else 'not '}passed, and "
            f"its own figures say otherwise: expected {measured['expected']}, tolerance "
            f"{measured['tolerance']}, actual {measured['actual']}."
            for step in scenario["steps"]
            for measured in step["measurements"]
            if _met(measured) is not measured["passed"]
        ]
        if run["state"] == "passed" and scenario["state"] != "passed":
            faults.append(f"{where} did not pass, but the run says passed.")
    return faults
