"""Ports: a fact that one feature needs of another, asked here and filled by ``app``.

A feature that may not import another asks the port; ``app`` fills each port once, at start-up.
An unfilled port answers with nothing known, never with good news.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlmodel import Session

from core.blobs import BlobStore
from core.errors import Fault
from core.probes import ProbeAnswer, ProbeQuestion
from core.qa_controls import QaControl, QaControls, by_watched
from core.verdicts import Verdict

Source = TypeVar("Source", bound=Callable[..., object])


class Port(Generic[Source]):
    """One question, and the function that answers it once ``app`` has filled it in.

    Parameters
    ----------
    question : str
        What the port answers, for the error of a port filled twice.
    """

    def __init__(self, question: str) -> None:
        self.question = question
        self._source: Source | None = None

    @property
    def source(self) -> Source | None:
        """The function that answers, or None while nobody does."""
        return self._source

    def fill(self, source: Source) -> None:
        """Let `source` answer from now on; filling again with the same function changes nothing."""
        if self._source not in (None, source):
            raise RuntimeError(
                f"The port '{self.question}' is filled already; fill it once in app."
            )
        self._source = source

    @contextmanager
    def filled(self, source: Source) -> Iterator[None]:
        """Let `source` answer inside the block only."""
        before, self._source = self._source, source
        try:
            yield
        finally:
            self._source = before


VerdictSource = Callable[[Session, str, str | None], Mapping[str, Verdict]]
"""``(session, project key, release uid or None) -> {test uid: Verdict}``. Without a release the
latest run of each test counts, whatever its commit. A test that is absent reads "not run"."""

verdict_source: Port[VerdictSource] = Port("what does the latest run say about each test?")


def verdicts(session: Session, project: str, release: str | None = None) -> Mapping[str, Verdict]:
    """Return the latest verdict per test uid of `project`; empty when nobody answers."""
    source = verdict_source.source
    return source(session, project, release) if source else {}


EvidenceCheck = Callable[[Session, BlobStore], Sequence[Fault]]
"""``(session, files) -> faults``: whatever of executed runs, imported results and baselines is no
longer what was recorded."""

evidence_check: Port[EvidenceCheck] = Port("is all evidence still what was recorded?")


def evidence_faults(session: Session, files: BlobStore) -> Sequence[Fault]:
    """Return the faults of the evidence; where nobody answers, that is the fault."""
    source = evidence_check.source
    if source is None:
        return [Fault("unchecked", "evidence", "nobody here can check it.")]
    return source(session, files)


EvidenceSize = Callable[[Session], int]
"""``(session) -> number``: how many entries of the audit trail take about as long to verify as all
evidence does. It is counted, never read, so that a page may ask before it waits for the rest."""

evidence_size: Port[EvidenceSize] = Port("how much evidence is there to verify?")


def evidence_worth(session: Session) -> int:
    """Return how many entries verifying the evidence is worth; 0 where nobody verifies any."""
    source = evidence_size.source
    return source(session) if source else 0


@dataclass(frozen=True)
class FrozenRevisions:
    """Which revision of each record of a project a baseline froze, and what it is called."""

    label: str
    revisions: Mapping[str, int]


FrozenSource = Callable[[Session, str, str], FrozenRevisions]
"""``(session, project key, number or root of a baseline) -> FrozenRevisions``; raises NotFound."""

frozen_source: Port[FrozenSource] = Port("which revisions did a baseline freeze?")


def frozen_revisions(session: Session, project: str, name: str) -> FrozenRevisions | None:
    """Return the revisions that a baseline froze; None when nobody keeps baselines."""
    source = frozen_source.source
    return source(session, project, name) if source else None


QaControlSource = Callable[[Session, str, datetime | None], Sequence[QaControl]]
"""``(session, project key, moment or None) -> the QA procedures`` that control a connection which
records of the project name, or monitor a requirement of it, each with whether it can be relied on:
now, or as far as anybody knew at that moment."""

qa_control_source: Port[QaControlSource] = Port("which QA procedures watch a project's controls?")


def qa_controls(session: Session, project: str, at: datetime | None = None) -> QaControls:
    """Return the QA procedures that watch what `project` relies on, by what they watch."""
    source = qa_control_source.source
    return by_watched(source(session, project, at)) if source else {}


Prober = Callable[[ProbeQuestion, Callable[[str], bool]], ProbeAnswer]
"""``(question, whether an address may be asked) -> answer``, within two seconds."""

prober: Port[Prober] = Port("would this DICOM listener take this association?")
