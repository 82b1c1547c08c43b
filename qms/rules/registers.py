"""Family F, second part: the quality registers. Nothing closed half-done, nothing overdue."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections.abc import Iterator
from datetime import date
from typing import Final

from core.records.snapshot import RecordView
from qms.due_days import days_after, latest_capa_day, report_day
from qms.rules.findings import Flaw
from qms.rules.view import Subjects, View, day, filled, in_force, missing, rule, text, uids

_TOOLS: Final = ("QMS tool", "test tool")
_DONE: Final = ("closed", "rejected", "deferred")


def _closed(type_: str, called: str) -> Subjects:
    return Subjects(
        f"closed {called}",
        lambda view: [record for record in view.live(type_) if record.state == "closed"],
    )


def _not_rejected(type_: str, called: str) -> Subjects:
    return Subjects(
        f"{called} that were not rejected",
        lambda view: [record for record in view.live(type_) if record.state != "rejected"],
    )


_PLANNED_TRAINING = Subjects(
    "training that is not complete",
    lambda view: [one for one in view.live("training") if text(one, "outcome") != "complete"],
)
_CHECKED = Subjects(
    "instruments and test objects in force",
    lambda view: [e for e in view.in_force("equipment") if text(e, "kind") not in _TOOLS],
)
_QMS_TOOLS = Subjects(
    "tools of quality work in force",
    lambda view: [e for e in view.in_force("equipment") if text(e, "kind") == "QMS tool"],
)


@rule(
    "F11",
    "Closed CAPA has root cause, action and effectiveness check",
    _closed("capa", "corrective and preventive actions"),
)
def capas_are_complete(view: View, record: RecordView) -> Iterator[Flaw]:
    """The cause is known, something was done about it, and somebody saw that it helped."""
    lacking = missing(
        record,
        {
            "root_cause": "a root cause",
            "effectiveness_result": "an effectiveness check",
            "effectiveness_checked_on": "the day of that check",
        },
    )
    actions = _actions(view, record)
    if not view.targets(record, "changes") and not actions:
        lacking.append("an action")
    if lacking:
        yield Flaw(f"is closed without {', '.join(lacking)}.", "Reopen and complete it.")
    if record.fields.get("effective") is False:
        yield Flaw("is closed, and its check says it was not effective.", "Reopen it.")
    elif record.fields.get("effective") is None:
        yield Flaw("is closed, and nobody says whether it was effective.", "Reopen and check it.")
    checked = day(record, "effectiveness_checked_on")
    late = [one for one in actions if checked and (done := day(one, "done_on")) and done > checked]
    if late:
        yield Flaw(f"was checked on {checked}, before {uids(late)} was done.", "Check it again.")


def _actions(view: View, record: RecordView) -> list[RecordView]:
    return [
        source
        for source in view.sources(record, "arises_from")
        if source.type in ("action", "capa") and source.state != "rejected"
    ]


@rule(
    "F12",
    "Closed nonconformity has a disposition",
    _closed("nonconformity", "nonconformities"),
)
def nonconformities_were_disposed_of(_: View, record: RecordView) -> Iterator[Flaw]:
    """Somebody decided what becomes of it; what is used as it is has a concession."""
    if not filled(record, "disposition"):
        yield Flaw("is closed without a disposition.", "Reopen it and say what becomes of it.")
    elif text(record, "disposition") == "use as is" and not filled(record, "concession"):
        yield Flaw("is used as it is without a concession.", "Reopen it and write the concession.")


@rule("F13", "Audit finding has an action", _not_rejected("audit_finding", "audit findings"))
def audit_findings_are_acted_on(view: View, record: RecordView) -> Iterator[Flaw]:
    """Each finding leads to an action, or to a CAPA."""
    if not _actions(view, record):
        due = day(record, "respond_by")
        by = f" (an answer is due by {due})" if due else ""
        yield Flaw(f"leads to no action{by}.", "Write an action or a CAPA that arises from it.")


@rule(
    "F14",
    "Complaint was assessed for reporting",
    _not_rejected("complaint", "complaints and incidents"),
)
def complaints_were_assessed(view: View, record: RecordView) -> Iterator[Flaw]:
    """A named person decided whether an authority must be told, and it was told in time."""
    lacking = missing(record, {"reportable": "a decision", "decided_on": "the day of it"})
    if not view.targets(record, "decided_by"):
        lacking.append("who decided")
    due = report_due(view, record)
    by = f"; a report would be due by {due}" if due else ""
    if record.state == "closed" and view.facts.unaccepted.get(record.key.uid) != ():
        yield Flaw(
            "is closed, and no safety officer signed what was decided about reporting it.",
            "Reopen it and have it reviewed.",
        )
    if lacking:
        yield Flaw(
            f"was not assessed for reporting (no {', no '.join(lacking)}){by}.",
            "Decide whether an authority must be told, and say why.",
        )
    elif text(record, "reportable") == "yes":
        told = day(record, "reported_on")
        if told is None:
            yield Flaw(f"is reportable and was not reported{by}.", "Report it, and say when.")
        elif due is not None and told > due:
            yield Flaw(f"was reported on {told}; it was due by {due}.", "Say why in its timeline.")


def report_due(view: View, record: RecordView) -> date | None:
    """Return the last day on which an authority can be told in time of what happened."""
    return report_day(view.limits, record.fields)


@rule("F15", "Surveillance activity is not overdue", in_force("surveillance", "activities"))
def surveillance_is_kept_up(view: View, record: RecordView) -> Iterator[Flaw]:
    """Somebody looked when it was due."""
    due = next_look(view, record)
    if due is not None and due < view.facts.today:
        yield Flaw(f"was due on {due}.", "Look, and record the result.")


def next_look(view: View, record: RecordView) -> date | None:
    """Return when a surveillance activity is due next: after its last result, else at first."""
    looked = [
        at
        for result in view.sources(record, "result_of")
        if (at := day(result, "looked_on")) is not None and at <= view.facts.today
    ]
    if not looked:
        return day(record, "first_due")
    return days_after(max(looked), int(record.fields.get("interval_days") or 0)) or date.max


@rule("F16", "Training is not overdue", _PLANNED_TRAINING)
def training_is_kept_up(view: View, record: RecordView) -> Iterator[Flaw]:
    """What was planned was done by its day."""
    due = day(record, "due")
    if _was_given(view, record):
        return
    if due is None:
        yield Flaw("is planned without a day.", "Withdraw it, and plan it again with one.")
    elif due < view.facts.today:
        yield Flaw(f"was due on {due}.", "Train, and record the training as complete.")


def _was_given(view: View, plan: RecordView) -> bool:
    """Whether the person has since been trained on everything that a plan covers."""
    documents = {document.key.uid for document in view.targets(plan, "covers")}
    return bool(documents) and all(
        documents
        <= {one.document for one in view.training.trainings.get(person.key.uid, ()) if one.done}
        for person in view.targets(plan, "person")
    )


@rule("F17", "Supplier evaluation is current", in_force("supplier", "suppliers"))
def suppliers_are_evaluated(view: View, record: RecordView) -> Iterator[Flaw]:
    """Each was evaluated, and the next evaluation has not gone by."""
    yield from _overdue(view, record, "next_evaluation", "has no day of its next evaluation")


@rule("F18", "Equipment and test-object QA is not overdue", _CHECKED)
def equipment_is_checked(view: View, record: RecordView) -> Iterator[Flaw]:
    """What is measured with was itself checked."""
    yield from _overdue(view, record, "qa_next", "has no day of its next check")


def _overdue(view: View, record: RecordView, name: str, absent: str) -> Iterator[Flaw]:
    due = day(record, name)
    if due is None:
        yield Flaw(f"{absent}.", "Say when it is.")
    elif due < view.facts.today:
        yield Flaw(f"was due on {due}.", "Do it, and write the next day.")


@rule("F19", "Each tool of quality work is validated at its version in use", _QMS_TOOLS)
def quality_tools_are_validated(_: View, record: RecordView) -> Iterator[Flaw]:
    """The version in use is the one that was validated."""
    yield from not_validated(record)


def not_validated(record: RecordView) -> Iterator[Flaw]:
    """Yield why a tool does not count as validated at the version in use."""
    version, validated = text(record, "version"), text(record, "validated_version")
    if not version:
        yield Flaw("does not say which version is in use.", "Write it.")
    elif version != validated:
        known = f"version {validated}" if validated else "no version"
        yield Flaw(f"is used at version {version}; {known} is validated.", "Validate it.")
    elif missing(record, {"validated_on": "", "validation_evidence": ""}):
        yield Flaw("is called validated without day or evidence.", "Write both.")


_ASSIGNED = Subjects(
    "actions and CAPAs that are not done",
    lambda view: [one for one in view.live("action", "capa") if one.state not in _DONE],
)
_REVIEWS = Subjects(
    "design and management reviews in force",
    lambda view: view.in_force("design_review", "management_review"),
)
_LATEST_REVIEW = Subjects(
    "the management review held last",
    lambda view: sorted(view.in_force("management_review"), key=_held)[-1:],
)


def _held(review: RecordView) -> date:
    return day(review, "held_on") or date.min


@rule("F20", "Action or CAPA is due as soon as its risk asks, and not overdue", _ASSIGNED)
def actions_are_in_time(view: View, record: RecordView) -> Iterator[Flaw]:
    """What is to be done has a day, that day fits the risk, and it has not gone by."""
    due = day(record, "due")
    if due is None:
        yield Flaw("has no day by which it is due.", "Set one.")
        return
    if due < view.facts.today:
        yield Flaw(f"was due on {due} and is {record.state.replace('_', ' ')}.", "Do it.")
    began = view.facts.opened.get(record.key.uid, view.facts.today)
    latest = latest_capa_day(view.limits, record.fields.get("risk"), began)
    if record.type == "capa" and latest is not None and due > latest:
        yield Flaw(
            f"is due on {due}; with risk {text(record, 'risk')} it is due by {latest}.",
            "Set an earlier day.",
        )


@rule("F21", "What a review decided is acted on", _REVIEWS)
def reviews_lead_to_actions(view: View, record: RecordView) -> Iterator[Flaw]:
    """Each decision has somebody who carries it out, or says why nobody needs to."""
    if view.sources(record, "arises_from"):
        return
    mend = "Write an action that arises from it, from its page."
    if record.type == "design_review":
        if text(record, "outcome") == "proceed with actions":
            yield Flaw("lets work proceed with actions, and there is none.", mend)
        return
    decided = [
        row for row in record.fields.get("decisions") or () if not str(row.get("no_action") or "")
    ]
    if decided:
        count = f"{len(decided)} {'decision' if len(decided) == 1 else 'decisions'}"
        yield Flaw(f"took {count} from which no action arises.", mend)


@rule("F22", "Management review is not overdue", _LATEST_REVIEW)
def management_reviews_are_held(view: View, record: RecordView) -> Iterator[Flaw]:
    """The next one was held by the day that the last one set."""
    due = day(record, "next_due")
    if due is not None and due < view.facts.today:
        yield Flaw(f"set the next one for {due}, and none was held since.", "Hold it.")
