"""The five steps of a release, each with its state and the one thing to do next. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.records.snapshot import RecordView
from qms.releases.ports import PackStanding, RunStanding
from qms.rules.facts import BaselineFact
from qms.rules.findings import CheckResult
from qms.rules.release import MEANING_OF_ROLE, SIGNING_CODES

SIGN = "Sign"


class StepState(StrEnum):
    """Where one step stands."""

    DONE = "done"
    NEXT = "to do"
    RUNNING = "under way"
    FAILED = "not passed"
    WAITING = "waits"
    """For a step before it."""


@dataclass(frozen=True)
class Step:
    """One step as the page shows it.

    Attributes
    ----------
    detail : str
        What there is so far, as a phrase: "run 14", "2 of 4".
    why : str
        Why it is not done, as a sentence; empty when it is.
    address : str
        Where its result stands.
    """

    number: int
    name: str
    state: StepState
    detail: str = ""
    why: str = ""
    address: str = ""

    @property
    def done(self) -> bool:
        """Whether nothing more is needed."""
        return self.state is StepState.DONE


@dataclass(frozen=True)
class SignatureLine:
    """One signature that the release asks for, and whether it was given."""

    role: str
    meaning: str
    name: str = ""
    at: datetime | None = None


def five_steps(
    release: RecordView,
    result: CheckResult,
    baseline: BaselineFact | None,
    run: RunStanding | None,
    pack: PackStanding | None,
) -> tuple[Step, ...]:
    """Return the steps of a release in their order; each looks at what exists, none is stored."""
    frozen = _freeze_step(release, result, baseline)
    validated = _validate_step(frozen, result, run)
    checked = _check_step(release, result)
    signed = _sign_step(release, frozen.done and validated.done and checked.done)
    return (frozen, validated, checked, signed, _pack_step(signed, pack))


def signature_lines(release: RecordView) -> tuple[SignatureLine, ...]:
    """Return the signatures the release asks for, with who gave which."""
    given = {
        (signature.role, signature.meaning): signature
        for signature in release.signatures
        if signature.envelope_digest == release.envelope_digest
    }
    lines = []
    for role in map(str, release.fields.get("required_signatures") or ()):
        meaning = MEANING_OF_ROLE.get(role, "")
        found = given.get((role, meaning))
        if found is None:
            lines.append(SignatureLine(role, meaning))
        else:
            lines.append(SignatureLine(role, meaning, found.signer, found.at))
    return tuple(lines)


def _freeze_step(release: RecordView, result: CheckResult, baseline: BaselineFact | None) -> Step:
    number, name = 1, "Freeze baseline"
    if not release.fields.get("baseline"):
        return Step(number, name, StepState.NEXT, why="No baseline is frozen yet.")
    if baseline is None or not baseline.intact:
        why = "The baseline it names does not exist as it was frozen."
        return Step(number, name, StepState.FAILED, why=why)
    if baseline.changed:
        told = ", ".join(key.uid for key in baseline.changed[:3])
        more = "" if len(baseline.changed) <= 3 else f" and {len(baseline.changed) - 3} more"
        why = f"{told}{more} changed since it was frozen."
        return Step(number, name, StepState.FAILED, baseline.root[:12], why)
    if not result.commit:
        return Step(number, name, StepState.FAILED, baseline.root[:12], "It names no commit.")
    return Step(number, name, StepState.DONE, baseline.root[:12])


def _validate_step(frozen: Step, result: CheckResult, run: RunStanding | None) -> Step:
    number, name = 2, "Validate"
    if run is None:
        if not frozen.done:
            return Step(number, name, StepState.WAITING, why="Freeze the baseline first.")
        return Step(number, name, StepState.NEXT, why="It was not run yet.")
    told = f"run {run.number}"
    if not run.ended:
        return Step(number, name, StepState.RUNNING, told, run.detail, run.address)
    if run.commit != result.commit:
        why = f"Run {run.number} executed commit {run.commit[:7]}, not the release's."
        return Step(number, name, StepState.FAILED, told, why, run.address)
    unpassed = _findings(result, {"E04"})
    if run.word != "passed" or unpassed:
        why = f"Run {run.number} {run.word}." if run.word != "passed" else unpassed[0]
        return Step(number, name, StepState.FAILED, told, why, run.address)
    return Step(number, name, StepState.DONE, told, address=run.address)


def _check_step(release: RecordView, result: CheckResult) -> Step:
    number, name = 3, "Release check"
    before_signing = [rule for rule in result.failing if rule.code not in SIGNING_CODES]
    address = f"/p/{release.key.project}/releases/{release.key.uid}#check"
    waiting = len(result.failing) - len(before_signing)
    told = f"{len(result.applied) - len(result.failing)} of {len(result.applied)}"
    told += f", {waiting} more when signed" if waiting else ""
    if before_signing:
        codes = ", ".join(rule.code for rule in before_signing)
        why = f"{codes} {'fail' if before_signing[1:] else 'fails'}."
        return Step(number, name, StepState.FAILED, told, why, address)
    return Step(number, name, StepState.DONE, told, address=address)


def _sign_step(release: RecordView, ready: bool) -> Step:
    number, name = 4, SIGN
    lines = signature_lines(release)
    given = sum(bool(line.name) for line in lines)
    told = f"{given} of {len(lines)}"
    if release.state == "approved" and given == len(lines):
        return Step(number, name, StepState.DONE, told, address=_page(release))
    if not ready:
        return Step(number, name, StepState.WAITING, told, "The steps before it are not done.")
    waiting = [line.role.replace("_", " ") for line in lines if not line.name]
    why = f"Waits for the {', '.join(waiting)}." if waiting else "It is not approved yet."
    return Step(number, name, StepState.NEXT, told, why, _page(release))


def _pack_step(signed: Step, pack: PackStanding | None) -> Step:
    number, name = 5, "Pack"
    if pack is not None and pack.word == "building":
        return Step(number, name, StepState.RUNNING, pack.name, "It is being built.", pack.address)
    if pack is not None and pack.word == "failed":
        return Step(number, name, StepState.FAILED, pack.name, "Building failed.", pack.address)
    if pack is not None and signed.done:
        return Step(number, name, StepState.DONE, pack.name, address=pack.address)
    if not signed.done:
        return Step(number, name, StepState.WAITING, why="Sign the release first.")
    return Step(number, name, StepState.NEXT, why="It was not built yet.")


def _findings(result: CheckResult, codes: set[str]) -> list[str]:
    return [
        finding.sentence for finding in result.findings if finding.code in codes and finding.blocks
    ]


def _page(release: RecordView) -> str:
    return f"/p/{release.key.project}/{release.key.uid}"
