"""Somebody who does one thing after another to records, at random, as people do."""

import random
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from core.db import Database
from core.errors import Conflict, FiducialError, NotFound
from core.records.approval import Signing, reject, sign, signatures_of, submit
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.discarding import discard
from core.records.importing import import_records
from core.records.issues import Decision, decide, move
from core.records.models import Project, Record, Revision
from core.records.queries import load_doubts
from core.records.reviewing import review, review_token, suspicions_of
from core.records.service import (
    create_record,
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from core.records.types import get_registry
from core.records.withdrawing import withdraw
from tests.conftest import Office

ENOUGH = 12

SIGNERS = (
    ("PPL-CV", "technical_reviewer"),
    ("PPL-DM", "clinical_lead"),
    ("PPL-EQ", "quality_manager"),
)


class Clerk:
    """Does one thing after another to records of two projects."""

    def __init__(self, office: Office, chance: random.Random) -> None:
        self.office = office
        self.chance = chance
        self.author = office.staff["PPL-AK"]
        self.acts: list[Callable[[Session], None]] = [
            *[self._create] * 3,
            *[self._edit] * 6,
            *[self._submit] * 3,
            *[self._sign] * 3,
            *[self._approve] * 6,
            *[self._review] * 2,
            *[self._reject] * 2,
            *[self._move] * 2,
            self._withdraw,
            self._discard,
            self._bring_in,
        ]

    def act(self, database: Database) -> str:
        """Do one thing in one transaction; what is refused leaves nothing behind."""
        chosen = self.chance.choice(self.acts)
        try:
            with database.writing() as session:
                chosen(session)
        except FiducialError:
            return f"{chosen.__name__} refused"
        return chosen.__name__.strip("_")

    def _some(self, session: Session, *wanted: ColumnElement[bool]) -> tuple[Record, str]:
        """Return a record of some kind with its edit token."""
        rows = session.execute(
            select(Record, Revision)
            .join(Revision, col(Revision.id) == col(Record.latest_id))
            .where(col(Record.withdrawn_at).is_(None), *wanted)
            .order_by(col(Record.id))
        ).all()
        if not rows:
            raise NotFound("Nothing of that kind yet.")
        record, revision = self.chance.choice(rows)
        return record, edit_token(revision)

    def _need(self, said: str) -> Content:
        fields = {"stakeholder": "physicist", "acceptance": said, "priority": "must"}
        return Content(f"Need {said}", "It is needed.", fields)

    def _content(self, session: Session, project: str) -> tuple[str, Content]:
        kind = self.chance.choice(["user_need", "requirement", "test", "problem"])
        said = self.chance.choice(["one", "two", "three"])
        if kind == "user_need":
            return kind, self._need(said)
        if kind == "problem":
            return kind, Content(f"Problem {said}", said, {"found_in": "0.1.0"})
        role, wanted = ("derives_from", "user_need") if kind == "requirement" else (
            "verifies", "requirement"
        )  # fmt: skip
        rows = session.execute(
            select(col(Project.key), col(Record.uid))
            .join(Record, col(Record.project_id) == col(Project.id))
            .where(col(Record.type) == wanted)
            .order_by(col(Record.id))
        ).all()
        ends = self.chance.sample(rows, min(len(rows), self.chance.randint(0, 3)))
        links = tuple(LinkDraft(role, uid, None if key == project else key) for key, uid in ends)
        fields = (
            {"category": "functional", "acceptance": said}
            if kind == "requirement"
            else {"level": "system", "stage": "OQ", "method": "automated", "tolerance": said}
        )
        return kind, Content(f"{kind} {said}", "It shall.", fields, links)

    def _create(self, session: Session) -> None:
        # Few records, so that the same ones are changed again and again.
        if session.execute(select(func.count()).select_from(Record)).scalar_one() > ENOUGH:
            raise Conflict("There are enough records.")
        project = find_project(session, self.chance.choice(["RPM", "RPM", "DEPT"]))
        kind, content = self._content(session, project.key)
        create_record(session, project, kind, content, self.author)

    def _bring_in(self, session: Session) -> None:
        number = self.chance.randint(100, 999)
        drafts = [
            RecordDraft("RPM", "user_need", f"UN-{number + n}", self._need(str(n)))
            for n in range(2)
            if self.chance.random() < 0.5
        ]
        import_records(session, drafts, self.author, get_registry())

    def _edit(self, session: Session) -> None:
        record, token = self._some(session)
        old = read_content(session, record)
        content = replace(old, title=f"{record.type} {self.chance.random()}")
        if self.chance.random() < 0.3:
            key = session.get_one(Project, record.project_id).key
            kind, content = self._content(session, key)
            while kind != record.type:
                kind, content = self._content(session, key)
        save_draft(session, record, content, self.author, token)

    def _submit(self, session: Session) -> None:
        record, token = self._some(session, col(Revision.state) == "draft")
        submit(session, record, self.author, self.office.proof("PPL-AK"), token)

    def _sign(self, session: Session) -> None:
        record, token = self._some(session, col(Revision.state) == "in_review")
        self._give_next(session, record, token)

    def _give_next(self, session: Session, record: Record, token: str) -> Revision:
        asked = get_registry().of(record.type).sign
        given = {one.meaning for one in signatures_of(session, latest_revision(session, record))}
        meaning = next(one for one in asked if one not in given)
        uid, role = next(one for one in SIGNERS if one[1] in asked[meaning])
        who, proof = self.office.staff[uid], self.office.proof(uid)
        return sign(session, record, Signing(meaning, role), who, proof, token)

    def _approve(self, session: Session) -> None:
        record, token = self._some(session, col(Revision.state).in_(["draft", "in_review"]))
        revision = latest_revision(session, record)
        if revision.state == "draft":
            revision = submit(session, record, self.author, self.office.proof("PPL-AK"), token)
        while revision.state == "in_review":
            revision = self._give_next(session, record, edit_token(revision))

    def _reject(self, session: Session) -> None:
        record, token = self._some(session, col(Revision.state) == "in_review")
        reject(session, record, self.office.staff["PPL-EQ"], "Not clear.", token)

    def _withdraw(self, session: Session) -> None:
        if self.chance.random() < 0.7:
            raise Conflict("It is kept this time.")
        record, token = self._some(session)
        who = "PPL-EQ" if record.effective_id else "PPL-AK"
        proof = self.office.proof(who)
        withdraw(session, record, self.office.staff[who], "No longer.", token, proof)

    def _discard(self, session: Session) -> None:
        above = col(Record.effective_id) != col(Record.latest_id)
        record, token = self._some(session, above, col(Revision.state) == "draft")
        discard(session, record, self.office.staff["PPL-EQ"], "Given up.", token)

    def _move(self, session: Session) -> None:
        record, token = self._some(session, col(Revision.state).in_(["open", "rejected"]))
        if latest_revision(session, record).state == "rejected":
            move(session, record, "open", self.author, "Seen again.", token)
            return
        decision, proof = Decision("rejected", "quality_manager", "Not one."), "PPL-EQ"
        esther = self.office.staff[proof]
        decide(session, record, decision, esther, self.office.proof(proof), token)

    def _review(self, session: Session) -> None:
        doubts, _ = load_doubts(session)
        if not doubts:
            raise NotFound("Nothing is in doubt yet.")
        key = self.chance.choice(doubts).record
        doubtful = find_record(session, find_project(session, key.project), key.uid)
        read = suspicions_of(session, doubtful)
        token = review_token(latest_revision(session, doubtful), read)
        review(session, doubtful, self.office.staff["PPL-EQ"], "Still holds.", token)
