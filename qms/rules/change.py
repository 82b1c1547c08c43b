"""Family F, first part: changes were decided, problems assessed and none hidden."""

from collections.abc import Iterator

from core.records.snapshot import RecordView
from qms.rules.findings import Flaw
from qms.rules.view import Subjects, View, filled, is_resolved, rule

_CLOSED_CHANGES = Subjects(
    "closed changes",
    lambda view: [change for change in view.live("change") if change.state == "closed"],
)
_ACCEPTED = ("in_work", "verifying", "closed")
"""States of a change that is made, once it is accepted by signature."""

_CHANGED_RELEASE = Subjects(
    "the release, where others were before it",
    lambda view: (
        [view.release]
        if view.release and view.facts.source is not None and view.facts.source.changes
        else []
    ),
)
_PROBLEMS = Subjects(
    "problem reports that were not rejected",
    lambda view: [problem for problem in view.live("problem") if problem.state != "rejected"],
)
_UNRESOLVED = Subjects(
    "problems that are not resolved",
    lambda view: [problem for problem in view.live("problem") if not is_resolved(problem)],
)


@rule(
    "F01",
    "Closed change has acceptance, risk review, impact list and verification",
    _CLOSED_CHANGES,
)
def changes_are_complete(view: View, record: RecordView) -> Iterator[Flaw]:
    """Nothing is closed by word of mouth."""
    lacking = [
        words
        for words, there in {
            "the signatures that accept it": _is_accepted(view, record),
            "a risk review": record.fields.get("risk_reviewed") is True,
            "what it impacts": view.targets(record, "impacts"),
            "what verified it": view.targets(record, "verified_by"),
        }.items()
        if not there
    ]
    if lacking:
        yield Flaw(f"is closed without {', '.join(lacking)}.", "Complete it.")


def _is_accepted(view: View, record: RecordView) -> bool:
    """Whether it was signed as accepted, as it stands now; nobody's word counts for that."""
    return view.facts.unaccepted.get(record.key.uid) == ()


@rule("F02", "Every commit in the release range names an accepted change", _CHANGED_RELEASE)
def commits_name_their_change(view: View, _: RecordView) -> Iterator[Flaw]:
    """Asked of what a release adds to the ones before; a first release was not changed."""
    source = view.facts.source
    accepted = {
        one.key.uid
        for one in view.live("change")
        if one.state in _ACCEPTED and _is_accepted(view, one)
    }
    for made in source.changes if source is not None else ():
        if not accepted.intersection(made.named):
            said = f"names {', '.join(made.named)}" if made.named else "names no record"
            yield Flaw(
                f"holds commit {made.sha[:12]} ({made.subject[:80]}), which {said} and no change "
                "that was accepted.",
                "Ask for a concession that says why, or tag a history in which each commit does.",
            )


@rule("F03", "Each problem report was assessed for safety by a named person", _PROBLEMS)
def problems_were_assessed(view: View, record: RecordView) -> Iterator[Flaw]:
    """Somebody answered whether it matters for safety."""
    if record.fields.get("safety_relevant") not in (True, False):
        yield Flaw("does not say whether it is safety-relevant.", "Have it assessed.")
    if not view.targets(record, "evaluated_by"):
        yield Flaw("was assessed for safety by nobody.", "Name the person who assessed it.")


@rule("F04", "Each unresolved problem is in the release list with a rationale", _UNRESOLVED)
def unresolved_problems_are_listed(view: View, record: RecordView) -> Iterator[Flaw]:
    """Whoever uses the release is told, and told why it may go out so."""
    if view.release is None:
        return
    if record.key not in {problem.key for problem in view.of_release("known_anomalies")}:
        yield Flaw(
            "is not resolved and not among the known anomalies of the release.",
            "List it there, or resolve it.",
            at=view.release.key,
        )
    if not filled(record, "rationale"):
        yield Flaw("is not resolved and gives no rationale.", "Say why it may stay.")


@rule("F05", "No safety-relevant problem is open at release", _UNRESOLVED)
def no_safety_problem_is_open(_: View, record: RecordView) -> Iterator[Flaw]:
    """Such a problem is resolved first."""
    if record.fields.get("safety_relevant") is True:
        yield Flaw(f"is safety-relevant and {record.state}.", "Resolve it before the release.")
