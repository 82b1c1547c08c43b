"""Family D, first part: what each risk states, how it is controlled, what remains."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections.abc import Iterator

from core.records.snapshot import RecordView
from qms.risks.evaluation import Level as RiskLevel
from qms.risks.evaluation import RiskPolicy, evaluate, is_step
from qms.rules.findings import Flaw, Level
from qms.rules.view import Subjects, View, filled, in_force, is_in_force, missing, rule, text, uids

_RISKS = in_force("risk", "risks")
_CONTROLLED = Subjects(
    "controls of risks in force",
    lambda view: _distinct(r for risk in view.in_force("risk") for r, _ in view.controls(risk)),
)
_MITIGATING = Subjects(
    "risks that a requirement of the release controls",
    lambda view: [
        risk
        for risk in view.in_force("risk")
        if any(requirement.key in view.delivered for requirement, _ in view.controls(risk))
    ],
)
_DELIVERED_CONTROLS = Subjects(
    "requirements of the release that control a risk",
    lambda view: [r for r in view.of_release("delivers") if view.targets(r, "mitigates")],
)
_LOWERING = ("inherent", "protective")


def _distinct(records: Iterator[RecordView]) -> list[RecordView]:
    return list({record.key: record for record in records}.values())


@rule("D01", "Risk states hazard, sequence of events, situation and harm", _RISKS)
def risks_tell_the_story(_: View, record: RecordView) -> Iterator[Flaw]:
    """From hazard to harm, nothing left to guess."""
    words = {name: name for name in ("hazard", "situation", "harm")}
    lacking = missing(record, {**words, "sequence": "sequence of events"})
    if lacking:
        yield Flaw(f"does not state its {', '.join(lacking)}.", "Propose a change and state it.")


@rule("D02", "Severity and likelihood lie on the policy scale, before and after", _RISKS)
def risks_lie_on_the_scales(view: View, record: RecordView) -> Iterator[Flaw]:
    """Every figure is a step of the policy in force."""
    policy = view.policy
    if view.policy_problem:
        yield Flaw(f"cannot be placed: {view.policy_problem}.", "Have the risk policy approved.")
    if policy is None:
        return
    steps = [
        ("severity", policy.severity),
        ("likelihood_before", policy.likelihood),
        ("likelihood_after", policy.likelihood),
    ]
    if record.fields.get("severity_after") is not None:
        steps.append(("severity_after", policy.severity))
    for name, scale in steps:
        value = record.fields.get(name)
        if not is_step(value, scale):
            words = name.replace("_", " ")
            given = "has no" if value is None else f"has {value} as its"
            yield Flaw(f"{given} {words} on the scale of 1 to {len(scale)}.", "Choose a step.")


def _level(policy: RiskPolicy | None, severity: object, likelihood: object) -> RiskLevel | None:
    """Return a level, or None where D02 already says that there is none."""
    if policy is None or not is_step(severity, policy.severity):
        return None
    if not is_step(likelihood, policy.likelihood):
        return None
    return evaluate(int(str(severity)), int(str(likelihood)), policy)


def _severity_after(record: RecordView) -> object:
    after = record.fields.get("severity_after")
    return record.fields.get("severity") if after is None else after


def _falls(record: RecordView) -> list[str]:
    """Return what the record says to be lower after the controls, as "severity from 4 to 3"."""
    pairs = (
        ("severity", record.fields.get("severity"), _severity_after(record)),
        ("likelihood", *map(record.fields.get, ("likelihood_before", "likelihood_after"))),
    )
    return [
        f"{name} from {before} to {after}"
        for name, before, after in pairs
        if type(before) is int and type(after) is int and after < before
    ]


def _initial(view: View, record: RecordView) -> RiskLevel | None:
    fields = record.fields
    return _level(view.policy, fields.get("severity"), fields.get("likelihood_before"))


def _residual(view: View, record: RecordView) -> RiskLevel | None:
    return _level(view.policy, _severity_after(record), record.fields.get("likelihood_after"))


@rule(
    "D03",
    "Controls lower a risk only by what they are; further reduction is answered where asked",
    _RISKS,
)
def controls_lower_what_they_can(view: View, record: RecordView) -> Iterator[Flaw]:
    """Nothing falls without a control in force, nor severity by information; level 2 asks J03."""
    before, after = record.fields.get("likelihood_before"), record.fields.get("likelihood_after")
    if type(before) is int and type(after) is int and after > before:
        yield Flaw(f"is likelier after its controls ({after}) than before ({before}).", "Correct.")
    severity, lowered = record.fields.get("severity"), _severity_after(record)
    if type(severity) is int and type(lowered) is int and lowered > severity:
        yield Flaw(f"is more severe after its controls ({lowered}).", "Correct the severity.")
    kinds = {kind for requirement, kind in view.controls(record) if is_in_force(requirement)}
    if falls := _falls(record):
        if not kinds:
            yield Flaw(
                f"falls in {' and in '.join(falls)}, and no requirement in force controls it.",
                "Have a requirement that mitigates it approved, or keep the figures before.",
            )
        elif not kinds & set(_LOWERING) and "severity" in falls[0]:
            yield Flaw(
                f"falls in {falls[0]} by information alone.",
                "Add an inherent or protective control, or keep the severity.",
            )
    policy, residual = view.policy, _residual(view, record)
    asked = policy.further_reduction_asked_at if policy else None
    if asked is None or residual is None or residual.number != asked:
        return
    answered = (
        text(record, "further_reduction_answer") == "not practicable"
        and filled(record, "further_reduction_reason")
        and filled(record, "further_reduction_date")
        and view.targets(record, "further_reduction_judged_by")
    )
    if not answered:
        yield Flaw(
            f"remains at level {asked} without the answer that further reduction is not "
            "practicable, with reason, person and date.",
            "Answer whether further reduction is practicable (J03).",
            level=Level.WARN,
        )


@rule("D04", "Initial risk above the acceptable level has a control", _RISKS)
def high_risks_are_controlled(view: View, record: RecordView) -> Iterator[Flaw]:
    """What is not acceptable as it stands is controlled by some requirement in force."""
    initial = _initial(view, record)
    if view.policy is None or initial is None or initial.number <= view.policy.acceptable_up_to:
        return
    if not any(is_in_force(requirement) for requirement, _ in view.controls(record)):
        yield Flaw(
            f"is at level {initial.number} and no requirement controls it.",
            "Write a requirement that mitigates it.",
        )


@rule("D05", "Every control is a requirement in force that says how it controls", _CONTROLLED)
def controls_are_requirements(view: View, record: RecordView) -> Iterator[Flaw]:
    """The requirement itself carries the mark: its link to the risk, with the kind of control."""
    if record.type != "requirement":
        yield Flaw(f"controls a risk and is a {record.type}.", "Write the control as requirement.")
    elif not is_in_force(record):
        yield Flaw(f"controls a risk and is {record.state}.", "Have the requirement approved.")
    for link in view.snapshot.outgoing(record.key, "mitigates"):
        if link.attributes.get("kind") not in (*_LOWERING, "information"):
            yield Flaw(
                f"mitigates {link.target.uid} without saying how.",
                "Choose inherent, protective or information on the link.",
            )


@rule("D06", "Risk controlled by information alone has a written justification", _RISKS)
def information_alone_is_justified(view: View, record: RecordView) -> Iterator[Flaw]:
    """The last of the three options of ISO 14971 7.1 needs a reason."""
    kinds = {kind for _, kind in view.controls(record)}
    if kinds == {"information"} and not filled(record, "benefit_risk"):
        yield Flaw(
            "is controlled by information alone, without a benefit-risk analysis.",
            "Justify it, or add another control.",
        )


@rule(
    "D07",
    "Implementation of each control in the release is verified by a passing test",
    _DELIVERED_CONTROLS,
)
def controls_are_implemented(view: View, record: RecordView) -> Iterator[Flaw]:
    """A test of the release passed for the control, and none failed."""
    tests = [test for test in view.sources(record, "verifies") if test.key in view.release_tests]
    if not tests:
        yield Flaw("controls a risk and no test of the release verifies it.", "Add its test.")
    elif open_ := [test for test in tests if not view.verdict(test).passed]:
        told = ", ".join([f"{test.key.uid} {view.verdict(test).word.value}" for test in open_])
        yield Flaw(
            f"controls a risk and is not verified: {told}.",
            "Run the tests of the release.",
            at=open_[0].key,
        )


@rule("D08", "Effectiveness of the controls of each risk is verified", _MITIGATING)
def controls_are_effective(view: View, record: RecordView) -> Iterator[Flaw]:
    """One of the tests that show the controls to work passed, none failed; QA on them works."""
    showing = [*view.sources(record, "verifies"), *view.sources(record, "validates")]
    tests = [test for test in showing if test.key in view.release_tests]
    if not tests:
        yield Flaw("has no test of the release that shows its controls to work.", "Link one to it.")
    elif open_ := [test for test in tests if not view.verdict(test).passed]:
        told = ", ".join([f"{test.key.uid} {view.verdict(test).word.value}" for test in open_])
        yield Flaw(
            f"has controls whose effect is not shown: {told}.",
            "Run the tests of the release.",
            at=open_[0].key,
        )
    assessed = view.assessments.get(record.key)
    if assessed is not None and assessed.not_effective:
        told = "; ".join(f"{one.procedure.uid} {one.why}" for one in assessed.not_effective)
        yield Flaw(
            f"has a control that is not effective: {told}.",
            "Do the QA that is overdue or failed, or have QATrack+ read again; "
            "no concession lets this through.",
            at=assessed.not_effective[0].procedure,
            # A concession names a rule and a risk. One for tests that are not run yet would let
            # through QA that stopped working later, which its signers have never seen.
            concedable=False,
        )


def _standing(view: View, record: RecordView) -> RiskLevel | None:
    """Return the level that counts: only verified controls lower it, whatever the record expects.

    Of a risk on its way to review the expected level is judged: it is written and approved before
    the tests of its controls can be run.
    """
    found = view.assessments.get(record.key)
    if found is None:
        return None
    return found.claimed if view.given.proposed else found.after


def _unverified(view: View) -> str:
    """Say which risks are judged as if they were not controlled."""
    held = [one.risk for one in view.assessments.values() if one.reasons]
    if view.given.proposed or not held:
        return ""
    ineffective = any(one.not_effective for one in view.assessments.values())
    why = "not verified or not effective" if ineffective else "not verified"
    return (
        f"The controls of {len(held)} of {len(view.assessments)} risks are {why}, so their "
        f"level before the controls counts: {uids(held)}."
    )


@rule("D09", "No residual risk above the tolerable level", _RISKS, _unverified)
def residual_risks_are_tolerable(view: View, record: RecordView) -> Iterator[Flaw]:
    """No analysis of benefits makes up for such a level."""
    residual = _standing(view, record)
    if view.policy and residual and residual.number > view.policy.tolerable_up_to:
        yield Flaw(
            f"remains at level {residual.number}; tolerable is {view.policy.tolerable_up_to}.",
            "Add controls that lower it.",
        )


@rule("D10", "Residual risk in the middle band has a benefit-risk analysis", _RISKS, _unverified)
def middle_risks_are_weighed(view: View, record: RecordView) -> Iterator[Flaw]:
    """What is tolerable only for its benefits says which."""
    policy, residual = view.policy, _standing(view, record)
    if policy is None or residual is None or filled(record, "benefit_risk"):
        return
    if policy.acceptable_up_to < residual.number <= policy.tolerable_up_to:
        yield Flaw(
            f"remains at level {residual.number} without a benefit-risk analysis.",
            "Write the analysis, or lower the risk.",
        )


@rule("D11", "New risks from controls were considered", _RISKS)
def new_risks_were_considered(view: View, record: RecordView) -> Iterator[Flaw]:
    """A control may bring a risk of its own."""
    if view.controls(record) and not filled(record, "new_risks"):
        yield Flaw("does not say which new risks its controls bring.", "State them, or 'none'.")


@rule("D12", "Software items that contribute are named", _RISKS)
def contributing_items_are_named(view: View, record: RecordView) -> Iterator[Flaw]:
    """Which part of the software can bring it about."""
    if not view.targets(record, "involves"):
        yield Flaw("names no software item that contributes.", "Link the items it involves.")
