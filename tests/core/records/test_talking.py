"""People talk about a revision before it is signed; what they said stays, beside the record."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ledger.guards import install_guards
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.people.service import find_actor
from core.records.audit import verify_audit
from core.records.content import Content
from core.records.models import Revision
from core.records.service import (
    create_record,
    edit_token,
    latest_revision,
    save_draft,
)
from core.records.talking.reading import open_threads, threads_of, waiting_to_answer
from core.records.talking.service import LONGEST_TEXT, Opening, answer, open_thread, settle
from core.records.types import get_registry
from core.records.withdrawing import withdraw
from tests.conftest import Office
from tests.core.conftest import Browser, forms_of, words_of
from tests.core.ledger.test_witness import drop_guards
from tests.core.records.test_pages import NEED, bring_into_force, submit, write

pytestmark = pytest.mark.database

Open = Callable[[str], Browser]
Actions = Callable[[str], list[LedgerEntry]]
FIELDS = {"stakeholder": "Physicist", "acceptance": "Numbers agree."}


@pytest.fixture
def kept(office: Office) -> Office:
    """UN-001, a draft that Amara wrote."""
    with office.writing() as session:
        content = Content("Trust the numbers", "Numbers are right.", FIELDS)
        project = office.project(session)
        create_record(session, project, "user_need", content, office.staff["PPL-AK"])
    return office


def begin(office: Office, who: str = "PPL-CV", about: str = "", said: str = "Which?") -> int:
    with office.writing() as session:
        record = office.record(session, "UN-001")
        opening = Opening(office.read(session, "UN-001"), about, said)
        return open_thread(session, record, opening, office.staff[who]).id or 0


def say(office: Office, number: int, who: str, said: str = "These.") -> None:
    with office.writing() as session:
        answer(session, office.record(session, "UN-001"), number, said, office.staff[who])


def end(office: Office, number: int, who: str, said: str = "Agreed.") -> None:
    with office.writing() as session:
        settle(session, office.record(session, "UN-001"), number, said, office.staff[who])


def threads(office: Office, reader: str = "PPL-VW") -> list[Any]:
    with office.reading() as session:
        kind = get_registry().of("user_need")
        found = threads_of(session, office.record(session, "UN-001"), kind, office.staff[reader])
        session.expunge_all()
        return found


def waits_for(office: Office) -> list[str]:
    with office.reading() as session:
        return [
            uid
            for uid, who in office.staff.items()
            if waiting_to_answer(session, who, [office.project(session)])
        ]


def change(office: Office, title: str, who: str = "PPL-AK") -> None:
    with office.writing() as session:
        record, read = office.record(session, "UN-001"), office.read(session, "UN-001")
        save_draft(session, record, Content(title, "Other.", FIELDS), office.staff[who], read)


def test_a_thread_waits_for_whoever_did_not_speak_last(kept: Office) -> None:
    number = begin(kept)
    opened = waits_for(kept)
    say(kept, number, "PPL-AK")
    answered = waits_for(kept)
    say(kept, number, "PPL-VW", "I wonder too.")
    by_another = waits_for(kept)
    end(kept, number, "PPL-CV")

    assert opened == ["PPL-AK"]
    assert answered == ["PPL-CV"]
    assert by_another == ["PPL-AK", "PPL-CV"]
    assert waits_for(kept) == []


def test_a_second_author_is_asked_too_and_may_settle(kept: Office) -> None:
    with kept.writing() as session:
        farid = find_actor(session, "PPL-DM")  # a clinical lead writes needs
        record, read = kept.record(session, "UN-001"), kept.read(session, "UN-001")
        save_draft(session, record, Content("Trusted", "Right.", FIELDS), farid, read)
    number = begin(kept)

    assert waits_for(kept) == ["PPL-AK", "PPL-DM"]
    end(kept, number, "PPL-DM")
    assert [one.is_open for one in threads(kept)] == [False]


def test_only_who_opened_it_or_an_author_settles(kept: Office) -> None:
    number = begin(kept)

    with pytest.raises(Refused, match="Chidi Vance, who began it"):
        end(kept, number, "PPL-EQ")
    with pytest.raises(Invalid):
        end(kept, number, "PPL-AK", " ")
    assert [one.may_settle for who in ("PPL-EQ", "PPL-AK", "PPL-CV") for one in threads(kept, who)
            ] == [False, True, True]  # fmt: skip
    end(kept, number, "PPL-AK", "It says which.")

    [thread] = threads(kept)
    assert [(one.text, one.settles) for one in thread.comments] == [
        ("Which?", False), ("It says which.", True),
    ]  # fmt: skip
    for again in (say, end):
        with pytest.raises(Conflict, match="settled"):
            again(kept, number, "PPL-AK")


def test_a_thread_names_its_part_and_the_revision_that_was_read(kept: Office) -> None:
    begin(kept, about="field.acceptance")
    begin(kept, about="body")
    change(kept, "Said otherwise")
    begin(kept)

    assert [(one.about, one.revision, one.changed) for one in threads(kept)] == [
        ("the whole", 1, False), (_body(), 1, True), ("Acceptance", 1, True),
    ]  # fmt: skip


def _body() -> str:
    return get_registry().of("user_need").body.label


@pytest.mark.parametrize("about", ["field.nothing", "title", "x" * 200, "field."])
def test_a_part_that_is_none_and_an_empty_text_are_told_together(kept: Office, about: str) -> None:
    with pytest.raises(Invalid) as refusal:
        begin(kept, about=about, said="\r\n ")

    assert [one.where for one in refusal.value.faults] == ["text", "about"]
    assert threads(kept) == []


def test_a_comment_has_a_greatest_length(kept: Office) -> None:
    with pytest.raises(Invalid, match="No thread"):
        begin(kept, said="x" * (LONGEST_TEXT + 1))

    begin(kept, said="x" * LONGEST_TEXT)


def test_nothing_is_said_of_what_was_not_read(kept: Office) -> None:
    with kept.writing() as session:
        record, chidi = kept.record(session, "UN-001"), kept.staff["PPL-CV"]
        for read, kind in (("", Refused), ("1.draft.0000", Conflict)):
            with pytest.raises(kind):
                open_thread(session, record, Opening(read, "", "Which?"), chidi)


def test_a_thread_of_another_record_is_none_of_this_one_and_strangers_say_nothing(
    kept: Office,
) -> None:
    number = begin(kept)
    stranger = Actor(kept.staff["PPL-VW"].person_id, "Vera Wynn", "PPL-VW")
    with kept.writing() as session:
        content, amara = Content("Another", "Right.", FIELDS), kept.staff["PPL-AK"]
        second = create_record(session, kept.project(session), "user_need", content, amara)

        with pytest.raises(NotFound):
            answer(session, second, number, "Here?", amara)
        with pytest.raises(Refused, match="may not read RPM"):
            answer(session, kept.record(session, "UN-001"), number, "There?", stranger)


def test_a_withdrawn_record_is_read_and_not_talked_on(kept: Office) -> None:
    number = begin(kept)
    with kept.writing() as session:
        record, read = kept.record(session, "UN-001"), kept.read(session, "UN-001")
        withdraw(session, record, kept.staff["PPL-AK"], "Not needed.", read)

    for act in (lambda: begin(kept), lambda: say(kept, number, "PPL-AK"),
                lambda: end(kept, number, "PPL-CV")):  # fmt: skip
        with pytest.raises(Conflict, match="is withdrawn"):
            act()
    assert [len(one.comments) for one in threads(kept)] == [1]
    assert waits_for(kept) == []


def test_talk_changes_no_digest_and_is_in_the_trail(kept: Office, actions: Actions) -> None:
    with kept.reading() as session:
        before = latest_revision(session, kept.record(session, "UN-001")).model_dump()
    number = begin(kept)
    say(kept, number, "PPL-AK")
    end(kept, number, "PPL-CV", "Agreed.")

    with kept.reading() as session:
        record = kept.record(session, "UN-001")
        assert latest_revision(session, record).model_dump() == before
        assert open_threads(session, [record.id or 0]) == {}
        assert verify_audit(session).findings == []
    assert [(one.action, one.person_name, one.subject) for one in actions("record:thread:")] == [
        ("record:thread:open", "Chidi Vance", "UN-001"),
        ("record:thread:answer", "Amara Kole", "UN-001"),
        ("record:thread:settle", "Chidi Vance", "UN-001"),
    ]
    assert actions("record:thread:settle")[0].details["reason"] == "Agreed."


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE thread_comment SET text = 'Never said.'",
        "DELETE FROM thread_comment",
        "UPDATE record_thread SET about = 'body'",
        "INSERT INTO thread_comment (thread_id, ordinal, text, settles, person_id, person_name,"
        " person_uid, at) SELECT id, 9, 'Forged', false, person_id, person_name, person_uid, at"
        " FROM record_thread",
    ],
)
def test_what_was_said_is_kept_by_the_database_and_by_the_trail(kept: Office, edit: str) -> None:
    begin(kept)
    if not edit.startswith("INSERT"):
        with pytest.raises(DBAPIError, match="append-only"), kept.database.engine.begin() as it:
            it.execute(text(edit))
    with kept.database.engine.begin() as connection:
        drop_guards(connection)
        connection.execute(text(edit))
        install_guards(connection)

    with kept.reading() as session:
        [found] = [one for one in verify_audit(session).findings if one.code == "row"]
    assert found.where.startswith(("thread comment ", "record thread "))


def test_who_reads_opens_answers_and_settles_on_the_page(browser_of: Open) -> None:
    amara, vera = browser_of("PPL-AK"), browser_of("PPL-VW")
    write(amara, "user_need", NEED)
    submit(amara, "UN-001")
    at = "/p/RPM/UN-001"
    vera.open(at)

    empty = vera.send(f"{at}/threads", text=" ", about="body")
    opened = vera.send(f"{at}/threads", text="Is **each** number <b>right</b>?", about="body")
    home = words_of(amara.open("/").text)
    page = amara.open(at)
    [to] = [one.action for one in forms_of(page.text) if one.action.endswith("/answer")]
    answered = amara.send(to, text="Each, see UN-001.")
    other = browser_of("PPL-CV").open(at)
    settled = amara.send(to.replace("/answer", "/settle"), text="It says so.")
    late = vera.client.post(to, data={"text": "Wait.", "csrf_token": _csrf(vera)})

    assert empty.status_code == 422
    assert "is empty" in empty.text
    assert '<option value="body" selected>' in empty.text
    assert "1 open thread" in words_of(opened.text)
    assert "<strong>each</strong> number &lt;b&gt;right&lt;/b&gt;?" in opened.text
    assert "Waiting for me (1)" in home
    assert "Answer Vera Wynn" in home
    assert f'<a href="{at}" rel' in answered.text
    assert to in other.text
    assert to.replace("/answer", "/settle") not in other.text
    assert "Talk (0 open)" in words_of(settled.text)
    assert "Amara Kole" in settled.text
    assert "It says so." in settled.text
    assert late.status_code == 409
    assert "Wait." in late.text or "settled" in late.text


def test_what_was_typed_survives_that_the_draft_was_changed_meanwhile(browser_of: Open) -> None:
    amara, chidi = browser_of("PPL-AK"), browser_of("PPL-CV")
    write(amara, "user_need", NEED)
    at = "/p/RPM/UN-001"
    chidi.open(at)
    amara.open(f"{at}/edit")
    amara.send(f"{at}/edit", action="save", body="Right to 1 %.")

    stale = chidi.send(f"{at}/threads", text="How right is right?")
    again = chidi.send(f"{at}/threads")

    assert stale.status_code == 409
    assert "what you wrote is kept" in words_of(stale.text)
    assert "Right to 1 %." in stale.text
    assert again.status_code == 200
    assert "How right is right?" in again.text


def _csrf(browser: Browser) -> str:
    return dict(browser.form("/sign-out").fields)["csrf_token"]


def test_open_threads_are_told_where_one_signs_and_keep_nobody_from_it(
    office: Office, browser_of: Open, actions: Actions
) -> None:
    amara, esther = browser_of("PPL-AK"), browser_of("PPL-EQ")
    write(amara, "user_need", NEED)
    submit(amara, "UN-001")
    begin(office)
    listed = words_of(esther.open("/p/RPM/sign").text)
    shown = words_of(esther.open("/p/RPM/UN-001").text)

    signed = esther.send("/p/RPM/UN-001/sign", password="correct horse battery staple")

    assert "1 open thread" in listed
    assert "1 thread is still open on it; that does not keep you from signing." in shown
    assert signed.status_code == 200
    assert "approved" in words_of(signed.text)
    assert len(actions("record:user_need:approve")) == 1


def test_the_revision_in_force_and_the_proposed_one_are_talked_about_apart(
    office: Office, browser_of: Open, database: Database
) -> None:
    amara = browser_of("PPL-AK")
    write(amara, "user_need", NEED)
    bring_into_force(browser_of, amara, "UN-001")
    amara.open("/p/RPM/UN-001/edit")
    amara.send("/p/RPM/UN-001/edit", action="save", body="Right to 1 %.")
    chidi = browser_of("PPL-CV")
    chidi.open("/p/RPM/UN-001")
    with database.reading() as session:
        first = edit_token(session.get_one(Revision, 1))

    chidi.send("/p/RPM/UN-001/threads", text="Of the proposal.")
    chidi.send("/p/RPM/UN-001/threads", text="Of what is in force.", read=first)

    told = amara.client.get("/api/p/RPM/records/UN-001").json()["threads"]
    assert [(one["revision"], one["open"], one["comments"][0]["text"]) for one in told] == [
        (1, True, "Of what is in force."), (2, True, "Of the proposal."),
    ]  # fmt: skip


def test_a_program_reads_what_was_said(kept: Office, browser_of: Open) -> None:
    number = begin(kept, about="field.acceptance")
    end(kept, number, "PPL-AK")

    told = browser_of("PPL-VW").client.get("/api/p/RPM/records/UN-001").json()["threads"]

    [thread] = told
    assert (thread["about"], thread["open"]) == ("field.acceptance", False)
    assert [(one["uid"], one["text"], one["settles"]) for one in thread["comments"]] == [
        ("PPL-CV", "Which?", False), ("PPL-AK", "Agreed.", True),
    ]  # fmt: skip
