"""What the audit trail says of a project, on its way out and on its way in.

A signature is known to the trail by a digest over everything that it says and over the row of its
revision. Rows are numbered anew where they arrive, so each signature takes along the number that
its digest was made with, and both can be computed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core.archive.entries import odd_entry
from core.archive.rows import Row
from core.canonical import read_json
from core.ledger.brought import IMPORTED, PREFIX, acts, is_whole, told, verbatim
from core.ledger.chain import append
from core.ledger.models import GENESIS, LedgerEntry
from core.ledger.placing import ACTION as VERIFIED
from core.people.actor import Actor
from core.records.approval import signature_digest
from core.signing.models import Signature

NO_KEY = "an installation without a key"
FETCHED = 1_000

SignatureRows = list[tuple[int, dict[str, Any]]]
"""Each signature with the line that it stands on."""


class Trail:
    """The entries of some projects, as they leave.

    Parameters
    ----------
    projects : mapping of int to str
        The key of each by its row.
    origin : str
        The fingerprint of this installation's key.
    """

    def __init__(
        self,
        session: Session,
        projects: Mapping[int, str],
        origin: str,
        files_of_acts: Collection[str],
    ) -> None:
        self.session, self.projects, self.origin = session, projects, origin
        self.files_of_acts = files_of_acts
        self.files: set[str] = set()
        self._before: dict[str, tuple[str, int]] = {}

    def entries(self) -> Iterator[Row]:
        """Yield every entry about the projects, word for word and with who made it.

        With them come the verifications of the whole trail: a release was signed on the last one.
        """
        about = col(LedgerEntry.project_id).in_(list(self.projects))
        query = select(LedgerEntry).where(or_(about, acts(VERIFIED))).order_by(col(LedgerEntry.seq))
        archives = self._archives()
        found = self.session.execute(query, execution_options={"yield_per": FETCHED}).scalars()
        for entry in found:
            said = told(entry)
            if said.action in self.files_of_acts:
                self.files.add(str(said.details.get("sha256") or ""))
            kept: Row = {"of": self.origin, "entry": verbatim(entry)}
            if said.origin:
                details = entry.details
                if said.project_id is None and details["archive"] not in archives:
                    continue
                kept = {"of": said.origin, "entry": details["entry"]}
                if said.signature:
                    there = str(said.details["signature"])
                    self._before[said.signature] = there, details["signature"]["revision_id"]
            yield kept | {"project": self.projects.get(entry.project_id or 0)}
            self.session.expunge(entry)

    def _archives(self) -> set[str]:
        """Return the archives in which the projects came here."""
        rows = self.session.execute(
            select(LedgerEntry).where(
                acts(IMPORTED), col(LedgerEntry.project_id).in_(list(self.projects))
            )
        ).scalars()
        return {str(told(one).details["archive"]) for one in rows}

    def signatures(self, rows: SignatureRows) -> Iterator[Row]:
        """Yield the digest by which the trail knows each signature; to be asked after `entries`."""
        for line, row in rows:
            here = signature_digest(Signature(**row))
            digest, revision = self._before.get(here, (here, row["revision_id"]))
            yield {"line": line, "digest": digest, "revision_id": revision}


class Arriving:
    """The entries of some projects, as they arrive: each in an entry of today.

    Parameters
    ----------
    archive : str
        SHA-256 of the file that they came in.
    projects : mapping of str to int
        The row of each by its key.
    """

    def __init__(
        self, session: Session, by: Actor, archive: str, projects: Mapping[str, int]
    ) -> None:
        self.session, self.by, self.archive, self.projects = session, by, archive, projects
        self.known: dict[str, tuple[str, int]] = {}
        self.unsaid: set[str] = set()
        self._last: dict[str, tuple[int, str]] = {}

    def know(self, stated: Sequence[Row], rows: Mapping[int, Signature]) -> Iterator[str]:
        """Learn by which digest the trail knows each signature; yield what does not fit."""
        for one in stated:
            signature = rows.get(one.get("line", 0))
            if signature is None or type(one.get("revision_id")) is not int:
                yield f"names signature {one.get('line')}, which is not there."
                continue
            here = signature_digest(signature)
            number, signature.revision_id = signature.revision_id, one["revision_id"]
            there = signature_digest(signature)
            signature.revision_id = number
            if there != one.get("digest"):
                yield f"signature {one['line']} of {signature.printed_name} is not what was signed."
            self.known[there] = here, one["revision_id"]
        if len(self.known) != len(rows):
            yield f"tells of {len(self.known)} signatures; there are {len(rows)}."
        self.unsaid = set(self.known)

    def keep(self, line: Row) -> str:
        """Write one entry into the trail; return what is wrong with it, or nothing."""
        of, project, kept = line.get("of"), line.get("project"), line.get("entry")
        if not isinstance(of, str) or not isinstance(kept, dict):
            return "is no entry of an audit trail."
        if what := odd_entry(kept):
            return what
        if not isinstance(project, str | None) or (
            project not in self.projects and (project or kept["action"] != VERIFIED)
        ):
            return "is no entry about these projects."
        if not is_whole(kept) or kept["action"].startswith(PREFIX):
            return f"entry {kept.get('seq')} was edited after it was written."
        last = self._last.get(of, (0, GENESIS))
        if kept["seq"] <= last[0] or (kept["seq"] == last[0] + 1 and kept["previous"] != last[1]):
            return f"entry {kept['seq']} does not follow the entry before it."
        self._last[of] = kept["seq"], kept["hash"]
        said: Row = {"archive": self.archive, "of": of, "entry": kept}
        signature = read_json(kept["data"].encode()).get("signature")
        if signature in self.known:
            here, revision = self.known[signature]
            said["signature"] = {"here": here, "revision_id": revision}
            self.unsaid.discard(signature)
        entry = append(
            self.session, PREFIX + kept["action"], self.by, self.projects.get(str(project)),
            kept["subject"], said,
        )  # fmt: skip
        self.session.expunge(entry)
        return ""
