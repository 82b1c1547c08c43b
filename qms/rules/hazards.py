"""Family D, second part: what the risk file covers as a whole, and who answers for it."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from core.records.snapshot import Key, RecordView
from qms.risks.logged import ISSUED_FOR, NAMING, departures
from qms.rules.findings import Flaw
from qms.rules.view import THE_DEVICE, Subjects, View, filled, is_in_force, rule, text, uids

_SAFETY_ROLE = "clinical_safety_officer"
_B_AND_C_ITEMS = Subjects(
    "software items of class B or C in force",
    lambda view: [i for i in view.in_force("software_item") if text(i, "class") in ("B", "C")],
)
_SAFETY_NEEDS = Subjects(
    "safety-related user needs in force",
    lambda view: [n for n in view.in_force("user_need") if n.fields.get("safety") is True],
)
_SAFETY_OFFICERS = Subjects(
    "clinical safety officers",
    lambda view: [p for p in view.in_force("person") if _SAFETY_ROLE in _roles(p)],
)
_INFORMING = Subjects(
    "requirements in force that control a risk by information",
    lambda view: [
        requirement
        for requirement in view.in_force("requirement")
        if any(
            link.attributes.get("kind") == "information"
            for link in view.snapshot.outgoing(requirement.key, "mitigates")
        )
    ],
)


def _roles(person: RecordView) -> list[str]:
    return [str(role) for role in person.fields.get("roles") or ()]


@rule("D13", "Every class B or C item was considered in the risk analysis", _B_AND_C_ITEMS)
def items_were_considered(view: View, record: RecordView) -> Iterator[Flaw]:
    """Some risk in force names the item."""
    if not any(is_in_force(risk) for risk in view.sources(record, "involves")):
        yield Flaw(
            f"is of class {text(record, 'class')} and no risk involves it.",
            "Add it to the risks it can bring about, or write the risk.",
        )


@rule("D14", "Each safety-related user need reaches a risk through its requirements", _SAFETY_NEEDS)
def safety_needs_reach_risks(view: View, record: RecordView) -> Iterator[Flaw]:
    """A need that matters for safety was analysed."""
    requirements = view.sources(record, "derives_from")
    if not any(view.targets(requirement, "mitigates") for requirement in requirements):
        yield Flaw(
            "is safety-related and no requirement of it controls a risk.",
            "Analyse what happens when it is not met.",
        )


@rule("D15", "Overall residual risk review is later than the last risk change", THE_DEVICE)
def overall_risk_was_reviewed(view: View, _: RecordView) -> Iterator[Flaw]:
    """Somebody judged all risks together, after the last of them changed."""
    reviews = view.in_force("residual_risk_review")
    latest = max(reviews, key=_in_force_since, default=None)
    if latest is None:
        yield Flaw(
            "has no review of the overall residual risk in force.",
            "Write one (question J04) and have it signed.",
        )
        return
    risks = view.in_force("risk", "risk_policy")
    later = [risk for risk in risks if _in_force_since(risk) > _in_force_since(latest)]
    if later:
        yield Flaw(
            f"was reviewed in {latest.key.uid} before {uids(later)} changed.",
            "Review the overall residual risk again.",
            at=latest.key,
        )
    if text(latest, "conclusion") == "not acceptable":
        yield Flaw(
            f"has an overall residual risk that {latest.key.uid} calls not acceptable.",
            "Reduce the risks, or do not release.",
        )


def _in_force_since(record: RecordView) -> datetime:
    return record.approved_at or datetime.min.replace(tzinfo=UTC)


@rule(
    "D16",
    "Clinical safety officer signed the hazard records, the hazard log issue and the safety case",
    THE_DEVICE,
)
def safety_officer_signed(view: View, _: RecordView) -> Iterator[Flaw]:
    """The release has a safety case in force with its issue of the log; the officer signed all."""
    cases = [one for one in view.of_release("includes_documents") if one.type == "safety_case"]
    argued = [one for one in cases if view.release in view.targets(one, "argues_for")]
    if view.release is not None and not argued:
        yield Flaw(
            "is released without a safety case that argues for this release.",
            "Write the clinical safety case report and include it in the release.",
            at=view.release.key,
        )
    issues: dict[Key, RecordView] = {}
    for case in argued:
        named = view.targets(case, NAMING["safety_case"])
        issues |= {issue.key: issue for issue in named}
        yield from _issue_flaws(view, case, named)
    for record in (*cases, *issues.values(), *view.in_force("risk")):
        if not any(one.role == _SAFETY_ROLE for one in record.signatures):
            yield Flaw(
                f"has {record.key.uid} without the signature of the clinical safety officer.",
                "Have it signed.",
                at=record.key,
            )


def _issue_flaws(view: View, case: RecordView, issues: Sequence[RecordView]) -> Iterator[Flaw]:
    """Yield what is wrong with the issue of the hazard log that a safety case rests on."""
    uid = case.key.uid
    if not issues:
        yield Flaw(
            f"has {uid} without an issue of the hazard log.",
            "Issue the hazard log, have it signed, and name it in the safety case.",
            at=case.key,
        )
    for issue in issues:
        if not is_in_force(issue):
            yield Flaw(
                f"has {uid} resting on {issue.key.uid}, which is {issue.state.replace('_', ' ')}.",
                "Have the clinical safety officer sign the issue.",
                at=issue.key,
            )
            continue
        if view.release not in view.targets(issue, ISSUED_FOR):
            yield Flaw(
                f"has {uid} resting on {issue.key.uid}, which was issued for another release.",
                "Name the issue of the hazard log for this release.",
                at=case.key,
            )
        live = {risk.key.uid for risk in view.live("risk")}
        rows = issue.fields.get("hazards") or ()
        for told in departures(rows, view.assessments.values(), live):
            yield Flaw(
                f"has {issue.key.uid}, which {told}.",
                "Issue the hazard log again, and the safety case with it.",
                at=issue.key,
            )


@rule("D17", "Clinical safety officer has a professional registration and training", THE_DEVICE)
def safety_officer_is_qualified(view: View, _: RecordView) -> Iterator[Flaw]:
    """There is one, registered, and trained on what the matrix asks for."""
    officers = list(_SAFETY_OFFICERS.select(view))
    if not officers:
        yield Flaw("has no clinical safety officer.", "Give a person the role.")
    for person in officers:
        if not filled(person, "registration"):
            yield Flaw(
                f"has {person.title} as clinical safety officer without a registration.",
                "Record the professional registration.",
                at=person.key,
            )
        for lack in view.training.lacking(person.key.uid, [_SAFETY_ROLE], view.facts.today):
            yield Flaw(f"relies on missing training: {lack}", "Train and record it.")
        if _SAFETY_ROLE not in view.training.matrix:
            yield Flaw(
                "does not say which training a clinical safety officer needs.",
                "Add the role to the training matrix.",
            )


@rule("D18", "Security is present in the risk analysis", THE_DEVICE)
def security_was_analysed(view: View, _: RecordView) -> Iterator[Flaw]:
    """Some risk in force comes from a security hazard."""
    hazards = (text(risk, "hazard").casefold() for risk in view.in_force("risk"))
    if not any("security" in hazard for hazard in hazards):
        yield Flaw("has no risk from a security hazard.", "Analyse the security of the device.")


@rule("D19", "Information-for-safety control appears in the instructions", _INFORMING)
def information_is_in_the_instructions(view: View, record: RecordView) -> Iterator[Flaw]:
    """What a user must be told stands in the approved instructions for use."""
    stated_in = view.targets(record, "stated_in")
    labelling = [document for document in stated_in if text(document, "kind") == "labelling"]
    if not labelling:
        yield Flaw(
            "controls a risk by information and stands in no instructions for use.",
            "Link the instructions that state it.",
        )
    elif not any(map(is_in_force, labelling)):
        yield Flaw(
            f"stands in {labelling[0].key.uid}, which is {labelling[0].state}.",
            "Have the instructions approved.",
            at=labelling[0].key,
        )
