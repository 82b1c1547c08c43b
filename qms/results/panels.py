"""What imported results say of a record, and of what it rests on, on the record's own page."""

from sqlmodel import Session

from core import ports
from core.records.models import Project, Record
from core.records.panels import Panel
from core.records.queries import load_snapshot
from core.records.snapshot import Key
from qms.results.judging import bearings, below, speaks
from qms.results.listing import has_imports
from qms.results.queries import imported_results


def results_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the panel of imported results, or None where none bears on the record."""
    if not has_imports(session, project):
        return None
    snapshot = load_snapshot(session, [project.key])
    key = Key(project.key, record.uid)
    uids = {one.uid for one in below(snapshot, key) if one.project == project.key}
    said = imported_results(session, project.key, uids=uids)
    verdicts = ports.verdicts(session, project.key)
    against = {
        Key(project.key, uid): one for uid, one in said.items() if speaks(one, verdicts.get(uid))
    }
    bearing = bearings(snapshot, against).get(key, ())
    own = said.get(record.uid)
    if own is None and not bearing:
        return None
    word = "not verified" if bearing else str(own.standing) if own else ""
    context = {"own": own, "bearing": bearing}
    return Panel(f"Imported results: {word}", "qms/results/_panel.html", context)
