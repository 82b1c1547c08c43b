"""What the release check said of a release when its last signature was given, asked again.

What a release rested on then is read from the record as it was, so the answer never changes with
later work; a department that changes what its rules ask is answered by the rules of today.
"""

from collections import OrderedDict
from threading import Lock

from sqlmodel import Session

from core.collector import collector_at_rest
from core.errors import Conflict
from core.records.models import Project
from core.records.service import find_record
from core.records.snapshot import Key
from qms.releases.ports import SignedStanding
from qms.rules.check import check
from qms.rules.findings import Pack
from qms.rules.packs import framework_pack
from validation.pack.frozen import final_signature, frozen_input

MOST_KEPT = 256
"""Releases whose answer is kept, without the records that it was read from."""

Asked = tuple[str, str, str, int]

_lock = Lock()
_kept: OrderedDict[Asked, tuple[Pack, SignedStanding]] = OrderedDict()


def as_signed(session: Session, project: Project, uid: str) -> SignedStanding | None:
    """Return what the check says of a release as it was signed; None where it is not."""
    try:
        signed = final_signature(session, project, find_record(session, project, uid))
    except Conflict:
        return None
    pack = framework_pack()
    asked = (project.key, uid, signed.hash, signed.seq)
    known = _kept.get(asked)
    if known is None or known[0] is not pack:
        with collector_at_rest():
            given = frozen_input(session, project, Key(project.key, uid), signed)
            known = (pack, SignedStanding(signed.at, check(given, pack)))
    with _lock:
        _kept[asked] = known
        _kept.move_to_end(asked)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return known[1]
