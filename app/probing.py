"""What the engine answers when the department map asks after a DICOM listener."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.probes import ProbeAnswer, ProbeQuestion
from core.version import product_version

if TYPE_CHECKING:
    from engine.network.findings import Finding

NO_CLASS = "no-object-class"
"""The outcome where the probe does not know what to offer for something that is modelled."""


def probe_association(question: ProbeQuestion, permitted: Callable[[str], bool]) -> ProbeAnswer:
    """Offer a listener what the asking end of an association would; no data set is sent."""
    # Here, not above: every process fills the port, and only one that probes needs pynetdicom.
    from engine.network.classes import name_of, offer_for
    from engine.network.findings import Listener
    from engine.network.probe import TOOL, probe

    offer = offer_for(question.role, question.service, question.data_types)
    tool = f"Fiducial {product_version()}, {TOOL}"
    unknown = ", ".join(offer.unknown)
    if not offer.classes:
        what = unknown or "a connection without data types"
        told = f"Nothing was asked: no object class is known for {what}."
        return ProbeAnswer(NO_CLASS, told, 0, "", (), (), tool)
    listener = Listener(
        question.calling_ae, question.called_ae, question.host, question.port, question.tls
    )
    found = probe(listener, offer.classes, permitted)
    outcome, sentence = _with_unknown(found, unknown)
    return ProbeAnswer(
        outcome,
        sentence,
        round(found.seconds * 1000),
        found.address,
        tuple(name_of(one) for one in found.accepted),
        tuple(name_of(one) for one in found.refused),
        tool,
    )


def _with_unknown(found: "Finding", unknown: str) -> tuple[str, str]:
    """Return outcome and sentence; what could not be asked for is never counted as taken."""
    outcome = found.outcome.value
    if not unknown:
        return outcome, found.sentence
    told = f"{found.sentence} Not asked: no object class is known for {unknown}."
    return NO_CLASS if outcome == "ok" else outcome, told
