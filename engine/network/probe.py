"""Ask one DICOM listener whether it would take an association. No data set is ever sent.

What crosses the network: an association request that offers object classes (DICOM PS3.8), a C-ECHO
(PS3.7, 9.1.5) when it is accepted, and its release. The result says what the listener answered; it
never reads as good news what was not answered.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pynetdicom
from pynetdicom import build_context, evt
from pynetdicom.association import Association
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_RJ

from engine.network.classes import VERIFICATION, name_of
from engine.network.findings import Finding, Listener, Outcome, classify_rejection
from engine.network.wire import Asking, HandshakeFailed, Wire, addresses_of, reason_of, tls_for

# That a listener does not answer is a result here, not an error for the service's log.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)

TOOL = f"pynetdicom {pynetdicom.__version__}"

WHOLE_S = 1.8
"""Longest time for everything, so that whoever waits has a word in under two seconds."""

NAME_SHARE, CONNECT_SHARE, ECHO_SHARE, RELEASE_SHARE = 0.3, 0.45, 0.3, 0.1
"""Of that time: the most that a name, a connection, C-ECHO and the release take. What is left after
the connection, but for the last two, is for the answer to the association request."""

NO_TRANSFER_SYNTAX = 4
"""Why an object class was not taken: result of a presentation context (PS3.8, table 9-18)."""

MOST_ADDRESSES = 3
"""Of one name: a machine has an address of either kind, rarely more."""


def probe(
    listener: Listener,
    classes: Sequence[str],
    permitted: Callable[[str], bool],
    whole_s: float = WHOLE_S,
) -> Finding:
    """Ask a listener for one association and answer within `whole_s`.

    Parameters
    ----------
    classes : sequence of str
        The object classes to offer, beside Verification.
    permitted : callable
        Whether an address may be asked. A name is resolved once, and the connection goes to the
        address that was judged, whatever the name says a moment later.

    Raises
    ------
    ValueError
        If there is nothing to offer, or an AE title that DICOM does not allow.
    """
    if not classes:
        raise ValueError("A probe offers at least one object class.")
    begun = time.monotonic()
    until = begun + whole_s
    addresses = addresses_of(listener.host, listener.port, whole_s * NAME_SHARE)
    if isinstance(addresses, str):
        return _timed(Finding(Outcome.UNREACHABLE, addresses), begun)
    allowed = [one for one in addresses if permitted(one)]
    if not allowed:
        told = f"{listener.host} stands for {', '.join(addresses)}, which may not be probed."
        return _timed(Finding(Outcome.NOT_ALLOWED, told), begun)
    found = Finding(Outcome.UNREACHABLE, "Nothing was asked.")
    for address in allowed[:MOST_ADDRESSES]:
        found = _Attempt(listener, address, tuple(dict.fromkeys(classes)), until, whole_s).outcome()
        if (
            found.outcome is not Outcome.UNREACHABLE
            or until - time.monotonic() < whole_s * RELEASE_SHARE
        ):
            break
    return _timed(found, begun)


def _timed(found: Finding, begun: float) -> Finding:
    return replace(found, seconds=round(time.monotonic() - begun, 3))


@dataclass
class _Attempt:
    """One association with one address."""

    listener: Listener
    address: str
    classes: tuple[str, ...]
    until: float
    whole_s: float
    aborted: bool = field(default=False, init=False)
    rejection: tuple[int, int] | None = field(default=None, init=False)
    opened: bool = field(default=False, init=False)
    failures: list[OSError] = field(default_factory=list, init=False)

    @property
    def place(self) -> str:
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{shown}:{self.listener.port}"

    @property
    def left(self) -> float:
        return max(0.05, self.until - time.monotonic())

    def outcome(self) -> Finding:
        """Associate in a thread that can be left behind: a peer may dribble bytes for ever."""
        entity = Asking(ae_title=self.listener.calling_ae)
        answers: queue.Queue[Finding | Exception] = queue.Queue()

        def work() -> None:
            try:
                answers.put(self._associate(entity))
            except Exception as error:  # noqa: BLE001 - raised again where somebody waits for it
                answers.put(error)

        threading.Thread(target=work, daemon=True).start()
        try:
            found = answers.get(timeout=self.left + 0.1)
        except queue.Empty:
            if entity.wire is not None:
                entity.wire.hang_up()
            told = f"{self.place} did not finish its answer within the time of a probe."
            return Finding(Outcome.SILENT, told, address=self.address)
        if isinstance(found, Exception):
            raise found
        return found

    def _associate(self, entity: Asking) -> Finding:
        entity.until, entity.failures = self.until, self.failures
        kept = self.whole_s * (ECHO_SHARE + RELEASE_SHARE)
        entity.connection_timeout = min(self.whole_s * CONNECT_SHARE, self.left)
        entity.acse_timeout = max(self.whole_s * RELEASE_SHARE, self.left - kept)
        entity.dimse_timeout = self.whole_s * ECHO_SHARE
        entity.network_timeout = self.left
        wanted = list(dict.fromkeys((VERIFICATION, *self.classes)))
        try:
            association = entity.associate(
                self.address,
                self.listener.port,
                contexts=[build_context(one) for one in wanted],
                ae_title=self.listener.called_ae,
                tls_args=tls_for(self.listener.host, self.failures) if self.listener.tls else None,
                evt_handlers=[(evt.EVT_CONN_OPEN, self._on_open), (evt.EVT_PDU_RECV, self._on_pdu)],
            )
        except OSError as error:
            # No socket of that kind, or no address of ours for it: a host without IPv6.
            return self._unconnected(error)
        try:
            # Where nothing at all is taken, pynetdicom itself aborts what was accepted.
            if association.accepted_contexts or association.rejected_contexts:
                return self._accepted(association)
            if self.rejection is not None:
                return self._rejected(*self.rejection)
            return self._unanswered(entity.wire)
        finally:
            self._end(association)
            if entity.wire is not None:
                entity.wire.hang_up()

    def _on_open(self, _event: evt.Event) -> None:
        self.opened = True

    def _on_pdu(self, event: evt.Event) -> None:
        # Kept as it comes: a listener that rejects and closes at once is, for pynetdicom, sometimes
        # one that was never connected.
        if isinstance(event.pdu, A_ASSOCIATE_RJ):
            self.rejection = int(event.pdu.source or 0), int(event.pdu.reason_diagnostic or 0)
        self.aborted = self.aborted or isinstance(event.pdu, A_ABORT_RQ)

    def _end(self, association: Association) -> None:
        if association.is_established:
            association.acse_timeout = min(self.whole_s * RELEASE_SHARE, self.left)
            association.release()

    def _accepted(self, association: Association) -> Finding:
        taken = {str(one.abstract_syntax) for one in association.accepted_contexts}
        accepted = tuple(one for one in self.classes if one in taken)
        refused = tuple(one for one in self.classes if one not in taken)
        outcome, told = self._echoed(association, VERIFICATION in taken)
        who = f"{self.listener.called_ae} at {self.place}"
        if refused:
            outcome = Outcome.CLASS_REFUSED
            told = f"{who} accepts the association, but {_untaken(association, refused)}." + (
                f" It takes {_listed(accepted)}." if accepted else ""
            )
        elif outcome is Outcome.OK:
            asker = self.listener.calling_ae
            told = f"{who} takes {_listed(accepted)} from {asker} and answers C-ECHO."
        return Finding(outcome, told, address=self.address, accepted=accepted, refused=refused)

    def _echoed(self, association: Association, offered: bool) -> tuple[Outcome, str]:
        if not offered:
            told = f"{self.place} takes the object classes, but not Verification: no C-ECHO."
            return Outcome.ECHO_FAILED, told
        association.dimse_timeout = min(self.whole_s * ECHO_SHARE, self.left)
        try:
            status = association.send_c_echo()
        except (RuntimeError, ValueError) as error:
            # The listener went away between its word and ours.
            return Outcome.ECHO_FAILED, f"{self.place} ended before C-ECHO: {error}"
        if "Status" not in status:
            return Outcome.ECHO_FAILED, f"{self.place} accepted, but did not answer C-ECHO in time."
        if status.Status != 0:
            told = f"{self.place} accepted, but answered C-ECHO with status {status.Status:#06x}."
            return Outcome.ECHO_FAILED, told
        return Outcome.OK, ""

    def _rejected(self, source: int, reason: int) -> Finding:
        outcome, why = classify_rejection(source, reason)
        told = {
            Outcome.WRONG_CALLED: f"The listener is not called {self.listener.called_ae}: {why}.",
            Outcome.WRONG_CALLING: f"{self.listener.calling_ae} may not ask here: {why}.",
        }.get(outcome, f"The association was rejected: {why}.")
        return Finding(outcome, f"{self.place}: {told}", address=self.address)

    def _unanswered(self, wire: Wire | None) -> Finding:
        if self.aborted:
            told = f"{self.place} aborted the association without a reason."
            return Finding(Outcome.ABORTED, told, address=self.address)
        if not self.opened:
            return self._unconnected(self.failures[-1] if self.failures else None)
        if wire is not None and wire.heard:
            told = f"Something listens at {self.place}, but does not answer in DICOM."
            return Finding(Outcome.NOT_DICOM, told, address=self.address)
        told = f"{self.place} takes the connection, but gives no DICOM answer: another program, or"
        return Finding(
            Outcome.SILENT, f"{told} one that does not answer this host.", address=self.address
        )

    def _unconnected(self, failure: OSError | None) -> Finding:
        if isinstance(failure, HandshakeFailed):
            told = f"{self.place} listens, but TLS failed: {failure}."
            return Finding(Outcome.TLS_FAILED, told, address=self.address)
        if isinstance(failure, ConnectionRefusedError):
            told = f"Nothing listens at {self.place}: the connection was refused."
        elif isinstance(failure, TimeoutError):
            told = f"{self.place} did not answer in time."
        else:
            why = reason_of(failure) if failure else "no connection"
            told = f"{self.place} cannot be reached: {why}."
        return Finding(Outcome.UNREACHABLE, told, address=self.address)


def _untaken(association: Association, refused: Sequence[str]) -> str:
    """Return what was not taken, and apart from it what only met no transfer syntax."""
    results = {str(one.abstract_syntax): one.result for one in association.rejected_contexts}
    known = [one for one in refused if results.get(one) == NO_TRANSFER_SYNTAX]
    unknown = [one for one in refused if one not in known]
    parts = [f"not {_listed(unknown)}"] if unknown else []
    if known:
        parts.append(f"takes none of the offered transfer syntaxes for {_listed(known)}")
    return " and ".join(parts)


def _listed(classes: Sequence[str]) -> str:
    names = [name_of(one) for one in classes]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
