"""Passwords are hashed while nobody waits, counted before they are hashed, and slowed down."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import median

import pytest
from pwdlib import PasswordHash
from sqlalchemy import select
from sqlmodel import col

from core.clock import now
from core.db import Database
from core.errors import Conflict, TooManyAttempts, Unauthenticated
from core.people import attempts, passwords
from core.people.attempts import begin_attempt, forgive
from core.people.models import FailedSignIn, Person
from core.people.passwords import choose
from core.people.proving import check_password, reauthenticate, sign_in
from core.people.service import create_person, grant
from core.settings import Settings
from tests.conftest import TEST_DATABASE
from tests.core.conftest import PASSWORD, Browser, words_of

pytestmark = pytest.mark.verifies("TST-002")

OWN = "a sentence that is all mine"


class Watched:
    """The real hasher, which tries whether somebody else could write while it works."""

    def __init__(self, real: PasswordHash, path: str) -> None:
        self.real, self.path, self.free = real, path, []

    def look(self) -> None:
        """Begin to write, as any other request would."""
        other = sqlite3.connect(self.path, timeout=0.05, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            self.free.append(True)
        except sqlite3.OperationalError:
            self.free.append(False)
        finally:
            other.close()

    def verify(self, password: str, stored: str) -> bool:
        """Compare, as the real one does."""
        self.look()
        return self.real.verify(password, stored)

    def hash(self, password: str) -> str:
        """Hash, as the real one does."""
        self.look()
        return self.real.hash(password)


@pytest.fixture
def watched(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    if not database.is_sqlite:
        pytest.skip("only SQLite has one writer at a time")
    one = Watched(passwords.hasher(), str(database.engine.url.database))
    monkeypatch.setattr(passwords, "hasher", lambda: one)
    yield one
    assert one.free, "no password was looked at"
    assert all(one.free), f"somebody waited for {one.free.count(False)} of {len(one.free)} hashes"


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path)


def test_nobody_waits_while_a_password_is_looked_at_to_sign_in(service, watched) -> None:
    browser = Browser(service)

    assert browser.sign_in("ppl-ak", "not the right one").status_code == 401
    assert browser.sign_in("nobody.here", "not the right one").status_code == 401
    assert browser.sign_in("ppl-ak").status_code == 200


def test_nobody_waits_while_a_signature_asks_for_the_password(browser_of, watched, actions) -> None:
    amara = browser_of("PPL-AK")
    amara.open("/p/RPM/new/user_need")
    typed = {"field.stakeholder": "physicist", "field.acceptance": "It holds."}
    draft = amara.send("/p/RPM/new/user_need", typed, title="Need", body="A need.")

    wrong = amara.send(f"{draft.url.path}/submit", password="not the right one")
    assert "That is not your password" in words_of(wrong.text)
    assert actions("record:user_need:submit") == []
    amara.send(f"{draft.url.path}/submit", password=PASSWORD)

    assert [one.subject for one in actions("record:user_need:submit")] == ["UN-001"]
    assert [one.subject for one in actions("session:person:refuse")] == ["ppl-ak"]


def test_nobody_waits_while_a_password_is_changed_or_given(
    service, database, watched, actions
) -> None:
    chosen = choose(PASSWORD)
    with database.writing() as session:
        person = create_person(session, "ada.lund", "PPL-ADMIN", "Ada Lund", chosen, None)
        grant(session, person, ["administrator"], None)
    ada = Browser(service)
    ada.sign_in("ada.lund")
    ada.open("/people")
    ada.send("/people", username="new.one", uid="PPL-NO", name="New One", password=PASSWORD)
    ada.open("/people/PPL-NO")
    ada.send("/people/PPL-NO/password", password=OWN)
    ada.open("/account")
    ada.send("/account/password", current=PASSWORD, wanted=OWN, again=OWN)

    assert ada.sign_in("ada.lund", OWN).status_code == 200
    assert len(actions("person:password:")) == 2


def test_a_password_changed_while_it_was_looked_at_proves_nothing(
    office, service, settings
) -> None:
    amara = office.staff["PPL-AK"]
    checked = check_password(office.database, amara, PASSWORD, "here", settings)
    with office.writing() as session:
        session.get_one(Person, amara.person_id).password_hash = choose(OWN).hash

    with pytest.raises(Unauthenticated), office.writing() as session:
        reauthenticate(session, amara, checked)


def test_a_role_taken_while_the_password_was_looked_at_signs_nothing(
    office, service, settings
) -> None:
    amara = office.staff["PPL-AK"]
    checked = check_password(office.database, amara, PASSWORD, "here", settings)
    with office.writing() as session:
        grant(session, session.get_one(Person, amara.person_id), ["viewer"], None)

    with pytest.raises(Conflict, match="Open the page again"), office.writing() as session:
        reauthenticate(session, amara, checked)


@pytest.mark.database
def test_a_flood_at_once_costs_no_more_hashes_than_the_limit(
    office, service, settings, monkeypatch
) -> None:
    looked = []
    real = passwords.matches

    def slow(password: str, stored: str | None) -> bool:
        looked.append(password)
        time.sleep(0.3)
        return real(password, stored)

    monkeypatch.setattr("core.people.proving.matches", slow)

    def flood(number: int) -> str:
        try:
            sign_in(office.database, "ppl-ak", "wrong password!", f"10.0.0.{number}", settings)
        except (Unauthenticated, TooManyAttempts) as error:
            return type(error).__name__
        return "signed in"

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(flood, range(12)))

    assert sorted(answers) == ["TooManyAttempts"] * 7 + ["Unauthenticated"] * 5
    assert len(looked) == 5


@pytest.mark.database
def test_the_window_slides_and_opens_one_try_at_a_time(database, settings, monkeypatch) -> None:
    """Five tries around the end of a fixed window would let five more follow at once."""
    start = now()
    at = [start]
    monkeypatch.setattr(attempts, "now", lambda: at[0])

    def turned_away(second: int) -> int:
        at[0] = start + timedelta(seconds=second)
        try:
            begin_attempt(database, "ppl-ak", "here", settings)
        except TooManyAttempts as error:
            return error.retry_after_s
        return 0

    assert [turned_away(second) for second in (0, 290, 295, 296, 297)] == [0] * 5
    assert turned_away(298) == 2, "the first try is two seconds from being forgotten"
    assert turned_away(300) == 0
    assert turned_away(301) == 289


@pytest.mark.database
def test_a_right_password_is_no_failure(database, settings) -> None:
    for _ in range(12):
        attempt = begin_attempt(database, "ppl-ak", "here", settings)
        with database.writing() as session:
            forgive(session, attempt)

    begin_attempt(database, "ppl-ak", "here", settings)


def test_old_tries_are_forgotten(database, settings, monkeypatch) -> None:
    start = now()
    begin_attempt(database, "ppl-ak", "here", settings)
    monkeypatch.setattr(attempts, "now", lambda: start + timedelta(seconds=900))

    begin_attempt(database, "ppl-cv", "there", settings)

    with database.reading() as session:
        kept = session.scalars(select(col(FailedSignIn.subject))).all()
    assert sorted(kept) == ["from:there", "name:ppl-cv"]


def test_others_at_the_same_address_keep_nobody_from_signing(office, service, settings) -> None:
    for number in range(20):
        begin_attempt(office.database, f"guess-{number}", "here", settings)
    with pytest.raises(TooManyAttempts):
        sign_in(office.database, "ppl-ak", PASSWORD, "here", settings)

    check_password(office.database, office.staff["PPL-AK"], PASSWORD, "here", settings)


def test_a_flood_that_is_turned_away_fills_no_audit_trail(service, actions) -> None:
    browser = Browser(service)
    answers = [browser.sign_in("ppl-ak", "wrong password!").status_code for _ in range(9)]

    assert answers == [401] * 5 + [429] * 4
    assert len(actions("refusal:page:too_many_attempts")) == 1


@pytest.mark.skipif(bool(TEST_DATABASE), reason="the time of the hash is the same everywhere")
def test_an_unknown_name_costs_as_much_time_as_a_known_one(office, tmp_path) -> None:
    """Processor time of six tries each; the decoy is made before either is measured."""
    settings = Settings(data_dir=tmp_path, sign_in_tries=100)
    stored = choose(OWN).hash
    with office.writing() as session:
        session.get_one(Person, office.staff["PPL-AK"].person_id).password_hash = stored
        closed = session.get_one(Person, office.staff["PPL-CV"].person_id)
        closed.password_hash, closed.active = stored, False

    def cost(name: str) -> float:
        began = time.process_time()
        with pytest.raises(Unauthenticated, match="The name or the password is wrong"):
            sign_in(office.database, name, "wrong password!", "here", settings)
        return time.process_time() - began

    cost("warming.up")
    # In turns, so that a busy moment of the machine falls on all three.
    rounds = [[cost(name) for name in ("ppl-ak", "nobody.here", "ppl-cv")] for _ in range(6)]
    known, unknown, closed_account = (median(times) for times in zip(*rounds, strict=True))

    # Without its decoy hash a name would cost next to nothing; half as much is far from that.
    assert unknown == pytest.approx(known, rel=0.5)
    assert closed_account == pytest.approx(known, rel=0.5)
