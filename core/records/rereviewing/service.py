"""Re-review many links with one reason, all of them or none."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Conflict, Fault, Invalid, Refused
from core.people.actor import Actor
from core.records.models import LinkReview, Project, Record, Revision
from core.records.permissions import allowed_roles
from core.records.rereviewing.listing import Line, lines_of
from core.records.reviewing import keep_review
from core.records.service import find_record, lock_record, record_event
from core.records.snapshot import Key, natural_order
from core.records.targets import known_records
from core.records.types import get_registry

MOST_AT_ONCE = 100
"""Links in one batch: what somebody can be believed to have read."""


class Overtaken(Conflict):
    """Some of what was chosen is no longer as it was read; carries each by name."""

    def __init__(self, message: str, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


def review_many(
    session: Session,
    project: Project,
    by: Actor,
    reason: str,
    chosen: Sequence[str],
    readable: Collection[str],
) -> list[Line]:
    """Record that links still hold; each is a review, and a line in the audit trail, of its own.

    Parameters
    ----------
    chosen : sequence of str
        The `Line.choice` of every link that was read and ticked.
    readable : collection of str
        The keys of the projects that the person may read.

    Raises
    ------
    Invalid
        Without a reason, without a choice, or with too many.
    Refused
        If the person may not re-review one of the records, or not read what changed.
    Overtaken
        If one of the links was reviewed, or changed again, after the list was opened.
    """
    faults = _lacking(reason, chosen)
    if faults:
        raise Invalid("Nothing was re-reviewed.", faults)
    chosen = list(dict.fromkeys(chosen))
    held = _hold(session, project, chosen)
    lines = lines_of(session, project, by, readable)
    _refuse_others(by, project, held, lines, {_link(one) for one in chosen})
    current = {line.choice: line for line in lines}
    overtaken = [one for one in chosen if one not in current]
    if overtaken:
        raise Overtaken(
            f"Nothing was re-reviewed: {_counted(len(overtaken))} changed after you opened the "
            "list. What you ticked besides is still ticked.",
            [_fault(session, project, one, lines) for one in overtaken],
        )
    reviewed = [current[one] for one in chosen]
    for line in reviewed:
        record = held[line.record.uid]
        keep_review(session, line.doubt, by, reason.strip())
        record_event(
            session,
            "review",
            record,
            session.get_one(Revision, record.effective_id),
            project,
            by,
            {
                "reason": reason.strip(),
                "against": [list(line.doubt.cause)],
                "link": line.doubt.role,
            },
        )
    return reviewed


def _lacking(reason: str, chosen: Sequence[str]) -> list[Fault]:
    faults = []
    if not chosen:
        faults.append(Fault("none", "list", "Nothing is ticked.", "Tick what you have read."))
    if len(set(chosen)) > MOST_AT_ONCE:
        what = f"{len(set(chosen))} links are ticked; at most {MOST_AT_ONCE} are taken at once."
        faults.append(Fault("many", "list", what, "Untick some, or filter the list."))
    if not reason.strip():
        faults.append(Fault("reason", "reason", "is empty.", "Say why these still hold."))
    return faults


def _hold(session: Session, project: Project, chosen: Sequence[str]) -> dict[str, Record]:
    """Hold the records in one order, so that two batches cannot wait for each other."""
    uids = sorted({one.split("/", 1)[0] for one in chosen}, key=natural_order)
    return {uid: lock_record(session, find_record(session, project, uid)) for uid in uids}


def _refuse_others(
    by: Actor, project: Project, held: Mapping[str, Record], lines: Sequence[Line], asked: set[str]
) -> None:
    """Refuse, by name, what the person may not re-review; raises Refused."""
    registry = get_registry()
    needed = {uid: allowed_roles(registry.of(record.type)) for uid, record in held.items()}
    others = [uid for uid, roles in needed.items() if not by.has(project.id or 0, *roles)]
    if others:
        roles = sorted({role.replace("_", " ") for uid in others for role in needed[uid]})
        raise Refused(
            f"{by.name} may not re-review {', '.join(others)}; that needs one of "
            f"{', '.join(roles)}."
        )
    unread = [line for line in lines if line.link in asked and not line.shown]
    if unread:
        uids = ", ".join(dict.fromkeys(line.record.uid for line in unread))
        causes = dict.fromkeys("{1} of {0}".format(*line.doubt.cause) for line in unread)
        raise Refused(
            f"{by.name} may not re-review {uids} here: {', '.join(causes)} cannot be read."
        )


def _link(choice: str) -> str:
    return choice.rpartition("/")[0]


def _counted(links: int) -> str:
    return "one of the links" if links == 1 else f"{links} of the links"


def _fault(session: Session, project: Project, choice: str, lines: Sequence[Line]) -> Fault:
    """Say what became of one link that is not as it was read."""
    uid, role, direction, cause = (*choice.split("/", 3), "", "", "")[:4]
    other = Key(*(*_parts(cause), "", "")[:2])
    words = f"{role.replace('_', ' ')} {other.uid}".strip()
    if any(line.link == _link(choice) for line in lines):
        what = f"changed again since you read it ({words})."
        return Fault("changed", uid, what, "Read it below and tick it again.")
    ends = (Key(project.key, uid), other)
    source, target = ends if direction == "to" else ends[::-1]
    who = _last_reviewer(session, source, role, target)
    told = f"; {who} reviewed the link last" if who else ""
    return Fault("cleared", uid, f"no longer needs re-review ({words}){told}.")


def _parts(cause: str) -> list[str]:
    # What follows the record is the digest of what was read.
    return cause.split("/")[:2]


def _last_reviewer(session: Session, source: Key, role: str, target: Key) -> str:
    ends = known_records(session, (source, target))
    if source not in ends or target not in ends:
        return ""
    query = (
        select(col(LinkReview.person_name))
        .where(
            col(LinkReview.source_id) == ends[source].id,
            col(LinkReview.role) == role,
            col(LinkReview.target_id) == ends[target].id,
        )
        .order_by(col(LinkReview.id).desc())
        .limit(1)
    )
    return session.execute(query).scalar_one_or_none() or ""
