"""Whether Git may be given the addresses of the repositories that came with a project."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from core.blobs import BlobStore
from core.errors import Fault, Invalid
from core.records.models import Project
from qms.repositories.addresses import parse_address
from qms.repositories.models import Repository


def address_faults(session: Session, project: Project, _files: BlobStore) -> list[Fault]:
    """Return what is wrong with the addresses, as whoever registers one is told."""
    rows = session.scalars(
        select(col(Repository.address)).where(col(Repository.project_id) == project.id)
    )
    return [fault for one in rows for fault in _faults(one)]


def _faults(address: str) -> Iterator[Fault]:
    try:
        parse_address(address)
    except Invalid as refusal:
        yield from refusal.faults
