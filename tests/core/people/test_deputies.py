"""A role is lent for whole days, by whoever may, to whoever may borrow it; the past stays."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from core.errors import Conflict, FiducialError, Invalid, NotFound, Refused
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.people.deputies import lending
from core.people.deputies.models import Deputyship
from core.people.deputies.service import Wish, deputies_of, end_deputy, name_deputy
from core.people.models import Person
from core.people.service import find_actor, grant, holders, revoke
from core.people.tokens import Wish as TokenWish
from core.people.tokens import find_bearer, make_token
from core.records.audit import verify_audit
from core.records.service import create_project
from tests.conftest import Office
from tests.core.conftest import Browser

pytestmark = pytest.mark.database

Open = Callable[[str], Browser]
Actions = Callable[[str], list[LedgerEntry]]
OnDay = Callable[[str], None]

TODAY = "2026-12-01"
LEAVE = Wish("quality_manager", "PPL-EQ", "PPL-CV", "2026-12-07", "2026-12-11", "Annual leave.")
"""Esther's role, lent to Chidi for a week."""


@pytest.fixture(name="on")
def _on(monkeypatch: pytest.MonkeyPatch) -> OnDay:
    """Let it be some moment for deputies: a day at noon, or as written."""

    def be(moment: str) -> None:
        at = datetime.fromisoformat(moment if "T" in moment else f"{moment}T12:00:00")
        monkeypatch.setattr(lending, "now", lambda: at.replace(tzinfo=at.tzinfo or UTC))

    be(TODAY)
    return be


def name(office: Office, wish: Wish = LEAVE, by: str = "PPL-EQ") -> int:
    with office.writing() as session:
        actor = find_actor(session, by)
        return name_deputy(session, office.project(session), wish, actor).id or 0


def end(office: Office, number: int, by: str = "PPL-EQ", why: str = "Back early.") -> None:
    with office.writing() as session:
        end_deputy(session, office.project(session), number, find_actor(session, by), why)


def actor(office: Office, uid: str) -> Actor:
    with office.reading() as session:
        return find_actor(session, uid)


def roles(office: Office, uid: str) -> frozenset[str]:
    with office.reading() as session:
        return find_actor(session, uid).roles_in(office.project(session).id or 0)


def _esther(session: Session, office: Office) -> Person:
    return session.get_one(Person, office.staff["PPL-EQ"].person_id)


def standings(office: Office) -> list[tuple[str, str, str]]:
    with office.reading() as session:
        return [
            (one.standing, one.deputy_uid, one.idle)
            for one in deputies_of(session, office.project(session))
        ]


@pytest.mark.parametrize(
    ("moment", "held"),
    [
        ("2026-12-06T23:59:59.999999", False),
        ("2026-12-07T00:00:00", True),
        ("2026-12-11T23:59:59.999999", True),
        ("2026-12-12T00:00:00", False),
        ("2026-12-07T00:30:00+01:00", False),  # still the 6th in UTC
        ("2026-12-11T23:30:00-02:00", False),  # the 12th in UTC already
    ],
)
def test_both_days_are_whole_days_of_utc(
    office: Office, on: OnDay, moment: str, held: bool
) -> None:
    name(office)

    on(moment)

    assert ("quality_manager" in roles(office, "PPL-CV")) is held


def test_a_deputy_holds_that_role_and_keeps_their_own(office: Office, on: OnDay) -> None:
    name(office)
    on("2026-12-07")

    chidi = actor(office, "PPL-CV")

    [project] = {project for project, _ in chidi.lent}
    assert chidi.roles_in(project) == {"technical_reviewer", "quality_manager"}
    assert (
        chidi.capacity(project, "quality_manager") == "quality manager as deputy for Esther Quill"
    )
    assert chidi.capacity(project, "technical_reviewer") == "technical reviewer"
    assert chidi.held_of(project, ["quality_manager", "technical_reviewer"]) == (
        "technical_reviewer",
        "quality_manager",
    )
    assert roles(office, "PPL-EQ") == {"quality_manager", "release_manager"}
    with office.reading() as session:
        assert [one.uid for one in holders(session, "quality_manager", project)] == [
            "PPL-CV",
            "PPL-EQ",
        ]
    assert not chidi.may_begin_projects


def test_a_lent_role_counts_in_its_project_alone(office: Office, on: OnDay) -> None:
    with office.writing() as session:
        other = create_project(session, "SIDE", "Another", None)
        side = other.id or 0
    name(office)
    on("2026-12-07")

    chidi = actor(office, "PPL-CV")

    assert not chidi.belongs_to(side)
    assert {project for project, _ in chidi.lent} == set(chidi.roles)


def test_a_program_acts_with_the_roles_of_that_day(office: Office, on: OnDay) -> None:
    name(office)
    with office.writing() as session:
        tomorrow = str(datetime.now(UTC).date() + timedelta(days=1))
        project = office.project(session).id or 0
        wish = TokenWish("import", False, project, tomorrow)
        token = make_token(session, wish, find_actor(session, "PPL-CV"))

    held = []
    for day in ("2026-12-06", "2026-12-07"):
        on(day)
        with office.reading() as session:
            found = find_bearer(session, token)
            assert found is not None
            held.append(found.actor.capacity(project, "quality_manager"))
            held.append(found.actor.has(project, "quality_manager"))

    assert held == [
        "quality manager", False, "quality manager as deputy for Esther Quill", True,
    ]  # fmt: skip


def test_a_role_taken_from_whom_it_was_borrowed_of_is_gone_and_comes_back(
    office: Office, on: OnDay
) -> None:
    name(office)
    on("2026-12-07")
    with office.writing() as session:
        project = office.project(session).id
        by = office.staff["PPL-EQ"]
        revoke(session, _esther(session, office), "quality_manager", by, project)

    without = roles(office, "PPL-CV")

    told = standings(office)
    with office.writing() as session:
        grant(session, _esther(session, office), ["quality_manager"], None, project)
    assert without == {"technical_reviewer"}
    assert told == [("current", "PPL-CV", "Esther Quill does not hold the role now.")]
    assert "quality_manager" in roles(office, "PPL-CV")
    assert standings(office) == [("current", "PPL-CV", "")]


def test_nothing_is_lent_by_a_closed_account_or_to_somebody_out_of_the_project(
    office: Office, on: OnDay
) -> None:
    name(office)
    on("2026-12-07")

    with office.writing() as session:
        _esther(session, office).active = False
    closed = roles(office, "PPL-CV")
    with office.writing() as session:
        _esther(session, office).active = True
        chidi = session.get_one(Person, office.staff["PPL-CV"].person_id)
        project = office.project(session).id
        revoke(session, chidi, "technical_reviewer", office.staff["PPL-EQ"], project)

    assert closed == {"technical_reviewer"}
    assert roles(office, "PPL-CV") == frozenset()
    [(_, _, why)] = standings(office)
    assert why == "Chidi Vance holds no role of their own in the project now."
    with office.reading() as session:
        assert [one.uid for one in holders(session, "quality_manager", project or 0)] == ["PPL-EQ"]


def test_a_role_held_everywhere_is_lent_in_the_project(office: Office, on: OnDay) -> None:
    with office.writing() as session:
        ines = Person(username="ines", uid="PPL-IN", name="Ines Nord", password_hash="none")
        session.add(ines)
        session.flush()
        grant(session, ines, ["clinical_lead"], None, None)
    name(office, replace(LEAVE, role="clinical_lead", principal="PPL-IN"))
    on("2026-12-07")

    assert "clinical_lead" in roles(office, "PPL-CV")


UNFIT: dict[str, tuple[Wish, str, type[FiducialError], str]] = {
    "by whoever may not": (LEAVE, "PPL-AK", Refused, "may not name deputies"),
    "a role not held": (
        replace(LEAVE, role="trainer"), "PPL-EQ", Refused, "does not hold the role trainer",
    ),
    "themselves": (replace(LEAVE, deputy="PPL-EQ"), "PPL-EQ", Refused, "for themselves"),
    "oneself": (
        replace(LEAVE, principal="PPL-CV", role="technical_reviewer", deputy="PPL-EQ"), "PPL-EQ",
        Refused, "Nobody names themselves",
    ),
    "held already": (
        replace(LEAVE, role="author", principal="PPL-AK", deputy="PPL-XX"), "PPL-EQ", Conflict,
        "holds the role author already",
    ),
    "an administrator": (
        replace(LEAVE, role="administrator", principal="PPL-XX"), "PPL-EQ", Refused,
        "Nobody deputises for an administrator",
    ),
    "somebody elsewhere": (replace(LEAVE, deputy="PPL-NO"), "PPL-EQ", Invalid, "No deputy"),
    "an unknown role": (replace(LEAVE, role="king"), "PPL-EQ", Invalid, "No deputy"),
}  # fmt: skip


@pytest.mark.parametrize(("wish", "by", "kind", "words"), UNFIT.values(), ids=UNFIT)
@pytest.mark.usefixtures("on")
def test_nobody_is_named_against_the_rules(
    office: Office, wish: Wish, by: str, kind: type[FiducialError], words: str
) -> None:
    with office.writing() as session:
        extra = Person(username="xx", uid="PPL-XX", name="Xenia", password_hash="none")
        session.add(extra)
        session.flush()
        project = office.project(session).id
        grant(session, extra, ["author", "administrator"], None, project)

    with pytest.raises(kind, match=words):
        name(office, wish, by)

    assert standings(office) == []


def test_every_fault_of_the_form_is_told_at_once(office: Office, on: OnDay) -> None:
    with pytest.raises(Invalid) as refusal:
        name(office, Wish("", "", "", "soon", "", " "))

    assert {one.where for one in refusal.value.faults} == {
        "held", "deputy", "first_day", "last_day", "reason",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "taken"),
    [
        ("2026-12-11", "2026-12-15", True),
        ("2026-12-02", "2026-12-07", True),
        ("2026-12-08", "2026-12-09", True),
        ("2026-12-02", "2026-12-20", True),
        ("2026-12-12", "2026-12-15", False),
        ("2026-12-02", "2026-12-06", False),
    ],
)
@pytest.mark.usefixtures("on")
def test_there_is_one_deputy_a_day_for_a_role_of_a_person(
    office: Office, first: str, last: str, taken: bool
) -> None:
    name(office)
    second = replace(LEAVE, deputy="PPL-FR", first_day=first, last_day=last)

    told = "has a deputy for quality manager from 2026-12-07 to 2026-12-11"
    with pytest.raises(Conflict, match=told) if taken else nullcontext():
        name(office, second)
    name(office, replace(second, role="release_manager"))


@pytest.mark.usefixtures("on")
def test_a_deputy_stands_for_one_person_at_a_time_in_a_role(office: Office) -> None:
    with office.writing() as session:
        farid = session.get_one(Person, office.staff["PPL-FR"].person_id)
        grant(session, farid, ["quality_manager"], None, office.project(session).id)
    name(office)

    with pytest.raises(Conflict, match="deputises for somebody else"):
        name(office, replace(LEAVE, principal="PPL-FR"))

    name(office, replace(LEAVE, principal="PPL-FR", deputy="PPL-DM"))


def test_a_deputy_is_ended_early_and_another_named_from_that_day(office: Office, on: OnDay) -> None:
    number = name(office)
    on("2026-12-09")
    before = roles(office, "PPL-CV")

    with pytest.raises(Refused):
        end(office, number, "PPL-AK")
    with pytest.raises(Invalid):
        end(office, number, why=" ")
    end(office, number)

    name(office, replace(LEAVE, deputy="PPL-FR", first_day="2026-12-09"))
    assert "quality_manager" in before
    assert "quality_manager" not in roles(office, "PPL-CV")
    assert "quality_manager" in roles(office, "PPL-FR")
    assert standings(office) == [("current", "PPL-FR", ""), ("past", "PPL-CV", "")]


def test_what_is_borrowed_is_not_lent_on_and_a_deputy_does_not_prolong_it(
    office: Office, on: OnDay
) -> None:
    name(office)
    on("2026-12-08")
    days = {"first_day": "2026-12-14", "last_day": "2026-12-18"}

    with pytest.raises(Refused, match="Chidi Vance does not hold the role quality manager"):
        name(office, replace(LEAVE, principal="PPL-CV", deputy="PPL-FR", **days))

    other = name(office, replace(LEAVE, role="release_manager", deputy="PPL-FR", **days))
    for wish in (replace(LEAVE, **days), replace(LEAVE, role="release_manager", **days)):
        with pytest.raises(Refused, match="Chidi Vance may not name deputies"):
            name(office, wish, "PPL-CV")
    with pytest.raises(Refused, match="Chidi Vance may not name deputies"):
        end(office, other, "PPL-CV")


def test_what_is_over_is_not_ended_again_and_the_rows_stay(office: Office, on: OnDay) -> None:
    number = name(office)
    coming = name(office, replace(LEAVE, role="release_manager"))
    end(office, coming)
    on("2026-12-12")

    for over in (number, coming):
        with pytest.raises(Conflict):
            end(office, over)
    with pytest.raises(NotFound):
        end(office, 99)
    for statement in (
        "UPDATE deputyship SET last_day = '2027-12-01'",
        "DELETE FROM deputyship_end",
    ):
        with pytest.raises(DBAPIError, match="append-only"), office.database.engine.begin() as it:
            it.exec_driver_sql(statement)
    with office.reading() as session:
        assert session.get_one(Deputyship, number).last_day == date(2026, 12, 11)
        assert verify_audit(session).findings == []
