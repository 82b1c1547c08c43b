"""What the rules say of one record before it goes to review: asked early, where mending is easy.

Of the rules that the pack asks at submission or approval, those are asked here whose word rests on
the record and what is linked with it. The rest need the whole record of the project; the release
check asks those.
"""

from dataclasses import replace

from sqlmodel import Session

from core.clock import now
from core.errors import Fault
from core.records.models import Project, Record, Revision
from core.records.snapshot import Key, LinkView, Snapshot
from core.records.types import get_registry
from core.records.writing import content_of
from qms.risks.issuing import issue_faults
from qms.risks.surroundings import load_surroundings
from qms.rules.facts import Facts, RuleInput
from qms.rules.findings import Level
from qms.rules.packs import framework_pack, type_facts
from qms.rules.questions import JUDGEMENT
from qms.rules.registry import RULES
from qms.rules.view import View, text

EARLY = ("submit", "approve")
LOCAL = {"risk": "D"}
"""Record type -> the family of rules whose word rests on what `load_surroundings` gives."""


def submission_faults(session: Session, project: Project, record: Record) -> tuple[Fault, ...]:
    """Return everything that keeps a record from review, as it would come into force."""
    family = LOCAL.get(record.type)
    if family is None:
        return (*issue_faults(session, project, record), *_unknown_question(session, record))
    snapshot = _as_proposed(session, project, record)
    facts = Facts(today=now().date(), types=type_facts(get_registry()))
    pack = framework_pack()
    view = View(RuleInput(snapshot, {}, (), facts, project.key, proposed=True), pack.limits)
    proposed = snapshot.records[Key(project.key, record.uid)]
    device = view.device
    described = [
        text(device, name) if device else "" for name in ("software_class", "regulatory_route")
    ]
    return tuple(
        Fault(code, record.uid, flaw.what, flaw.mend)
        for code, rule in RULES.items()
        if code.startswith(family) and set(EARLY).intersection(pack.entries[code].gates)
        if not pack.entries[code].reason_against(*described)
        for flaw in rule.judge(view, proposed)
        if (flaw.level or pack.entries[code].level) is Level.ERROR
    )


def _unknown_question(session: Session, record: Record) -> tuple[Fault, ...]:
    if record.type != JUDGEMENT:
        return ()
    said = str(session.get_one(Revision, record.latest_id).fields.get("question") or "").strip()
    known = [one.code for one in framework_pack().questions]
    if not said or said in known:
        return ()
    what = f"answers {said}, which is no question that is asked here."
    return (Fault("no-question", record.uid, what, f"Name one of {', '.join(known)}."),)


def approval_obstacles(session: Session, project: Project, record: Record) -> tuple[str, ...]:
    """Return the same in sentences, for who is about to sign: much may change during a review."""
    return tuple(f"{fault.code} {fault}" for fault in submission_faults(session, project, record))


def _as_proposed(session: Session, project: Project, record: Record) -> Snapshot:
    """Return the surroundings of a record with its latest revision as if that were in force."""
    key = Key(project.key, record.uid)
    revision = session.get_one(Revision, record.latest_id)
    content = content_of(session, revision, project)
    own = [
        LinkView(link.role, key, Key(link.project or project.key, link.target), link.attributes)
        for link in content.links
    ]
    around = load_surroundings(session, record, [link.target for link in own])
    proposed = replace(
        around.records[key],
        title=content.title,
        body=content.body,
        fields=dict(content.fields),
        state="approved",
        revision=revision.number,
        in_force=True,
    )
    others = [link for link in around.links if link.source != key]
    records = [one for one in around.records.values() if one.key != key]
    return Snapshot([*records, proposed], [*others, *own])
