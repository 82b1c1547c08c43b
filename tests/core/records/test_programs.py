"""What programs do with records beside drafts: read what was, talk, re-review, send back, move."""

import pytest
from fastapi import FastAPI

from core.people.tokens import ACT, WRITE
from core.records.approval import submit
from core.records.content import Content, LinkDraft
from core.records.rereviewing.listing import lines_of
from core.records.service import create_record, edit_token, latest_revision, read_content
from tests.conftest import Office
from tests.core.records.test_lost_links import bring_into_force, change
from tests.core.records.test_rereviewing import AFTER, in_doubt, need, requirement
from tests.programs import Program

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("all_trained")]

AT = "/api/p/RPM/records/UN-001"


@pytest.fixture
def held(office: Office) -> Office:
    """Two requirements in force derive from a need in force."""
    author = office.staff["PPL-AK"]
    with office.writing() as session:
        project = office.project(session)
        create_record(session, project, "user_need", need("Numbers agree to 0.5 %."), author)
        for number in (1, 2):
            create_record(session, project, "requirement", requirement(number), author)
    for uid in ("UN-001", "REQ-001", "REQ-002"):
        bring_into_force(office, uid)
    return office


def sent_from(told: dict[str, object], **more: object) -> dict[str, object]:
    """Return a record as it was read, to be sent with something changed."""
    kept = ("title", "body", "fields", "links", "expected")
    return {name: told[name] for name in kept} | more


def test_history_and_difference_are_those_of_the_page(held: Office, service: FastAPI) -> None:
    change(held, need(AFTER), "UN-001")
    program = Program(service, held.database, "PPL-VW")

    first, second = reversed(program.get(f"{AT}/history"))
    whole = program.get(f"{AT}/history/2")
    compared = program.get(f"{AT}/compare")

    assert (first["number"], first["in_force"], second["in_force"]) == (1, False, True)
    assert second["previous_digest"] == first["envelope_digest"]
    assert (whole["before"], compared["older"], compared["newer"]) == (1, 1, 2)
    [difference] = compared["changes"]
    assert whole["changes"] == [difference]
    gone = [part["text"] for part in difference["parts"] if part["kind"] == "removed"]
    assert (difference["label"], gone) == ("Acceptance", ["0.5"])
    assert [one["meaning"] for one in whole["signatures"]] == ["authored", "approved"]
    assert program.get(f"{AT}/compare", old=2, new=2)["changes"] == []
    assert program.ask("GET", f"{AT}/history/3").status_code == 404
    assert program.ask("GET", f"{AT}/compare?old=7").status_code == 404


def test_impact_of_a_draft_is_told_before_and_after_it_is_saved(
    held: Office, service: FastAPI
) -> None:
    program = Program(service, held.database, "PPL-AK", WRITE)
    read = program.get(AT)
    sent = sent_from(read, fields={**read["fields"], "acceptance": AFTER})
    before = program.get(f"{AT}/impact")

    previewed = program.post(f"{AT}/impact", sent).json()
    unchanged = program.get(AT)["revision"]
    program.ask("PUT", AT, json=sent)
    saved = program.get(f"{AT}/impact")

    assert (before["changes"], before["touched"], unchanged) == (False, [], 1)
    assert "Nothing that other records rely on" in before["told"]
    assert [one["uid"] for one in previewed["touched"]] == ["REQ-001", "REQ-002"]
    assert previewed["touched"][0]["cause"] == {"project": "RPM", "uid": "UN-001"}
    assert (saved["revision"], saved["in_force"], saved["state"]) == (2, 1, "draft")
    assert (saved["changes"], saved["touched"]) == (True, previewed["touched"])


def test_impact_names_what_loses_its_link_and_refuses_what_could_not_be_saved(
    held: Office, service: FastAPI
) -> None:
    program = Program(service, held.database, "PPL-AK", WRITE)
    at = "/api/p/RPM/records/REQ-001"
    read = program.get(at)

    let_go = program.post(f"{at}/impact", sent_from(read, links=[])).json()
    refused = program.post(f"{at}/impact", sent_from(read, title="", fields={"nothing": 1}))

    assert "UN-001" in [one["target"] for one in read["links"]]
    assert let_go["lost"] == [{"project": "RPM", "uid": "UN-001"}]
    assert refused.status_code == 422
    assert len(refused.json()["faults"]) > 1


def test_links_are_told_from_both_ends_with_what_needs_re_review(
    held: Office, service: FastAPI
) -> None:
    change(held, need(AFTER), "UN-001")
    program = Program(service, held.database, "PPL-VW")

    above = program.get("/api/p/RPM/records/REQ-001/links")
    below = program.get(f"{AT}/links")

    [up] = above["outgoing"]
    assert (up["uid"], up["label"], up["cause"]) == ("UN-001", "derives from", "changed")
    assert [(one["uid"], one["doubted"]) for one in below["incoming"]] == [
        ("REQ-001", True), ("REQ-002", True),
    ]  # fmt: skip
    assert (above["incoming"], below["outgoing"], below["hidden"]) == ([], [], 0)


def test_a_file_is_attached_listed_and_taken_away(held: Office, service: FastAPI) -> None:
    author = Program(service, held.database, "PPL-AK", WRITE)
    reader = Program(service, held.database, "PPL-VW", WRITE)
    sent = {"files": ("../dose.csv", b"1,2\n", "text/csv")}

    made = author.ask("POST", f"{AT}/files", files=sent)
    [listed] = reader.get(f"{AT}/files")
    taken = reader.ask("GET", listed["address"])
    refused = reader.ask("POST", f"{AT}/files", files=sent)
    empty = author.ask("POST", f"{AT}/files")

    assert (made.status_code, made.json()) == (201, [listed])
    assert (listed["name"], listed["size"], listed["attached_by"]) == ("dose.csv", 4, "Amara Kole")
    assert taken.content == b"1,2\n"
    assert (refused.status_code, empty.status_code) == (403, 422)


def test_who_raised_an_issue_attaches_a_file_to_it_and_to_no_other(
    held: Office, service: FastAPI
) -> None:
    author = Program(service, held.database, "PPL-AK", WRITE)
    reader = Program(service, held.database, "PPL-VW", WRITE)
    fields = {"source": "physicist", "received_on": "2026-06-01", "patient_effect": "none"}
    about = [{"role": "about", "target": "PRJ-001"}]
    told = {"type": "complaint", "title": "Doses", "body": "2 Gy", "fields": fields, "links": about}
    sent = {"files": ("screen.png", b"png", "image/png")}
    with held.writing() as session:
        project = held.project(session)
        create_record(session, project, "project", Content("RPM"), held.staff["PPL-AK"])
    for who in (author, reader):
        answer = who.post("/api/p/RPM/records", told)
        assert answer.status_code == 201, answer.text

    others, own = (
        reader.ask("POST", f"/api/p/RPM/records/{uid}/files", files=sent)
        for uid in ("CMP-001", "CMP-002")
    )

    assert (others.status_code, own.status_code) == (403, 201)


def test_what_an_act_fills_in_is_never_written_by_a_program(held: Office, service: FastAPI) -> None:
    program = Program(service, held.database, "PPL-AK", WRITE)
    invented = {"type": "hazard_log", "title": "Log", "fields": {"taken_at": "2026-01-01"}}
    refused = program.post("/api/p/RPM/records", invented)
    made = program.post("/api/p/RPM/records", {**invented, "fields": {}}).json()

    at = f"/api/p/RPM/records/{made['uid']}"
    changed = program.ask("PUT", at, json=sent_from(made, fields={"root": "00"}))
    kept = program.ask("PUT", at, json=sent_from(made, title="Another", reason="A better name"))

    assert (refused.status_code, changed.status_code, kept.status_code) == (422, 422, 200)
    assert "'Taken from the risk file' is filled by the act it tells of" in refused.text
    assert "'Digest of the hazards'" in changed.text


def test_a_talk_is_begun_answered_and_settled_by_programs(held: Office, service: FastAPI) -> None:
    asking = Program(service, held.database, "PPL-VW", WRITE)
    author = Program(service, held.database, "PPL-AK", WRITE)
    read = asking.get(AT)["expected"]

    begun = asking.post(f"{AT}/threads", {"read": read, "about": "body", "text": "Is it?"})
    number = begun.json()["id"]
    waiting = author.get("/api/p/RPM/waiting")["to_answer"]
    author.post(f"{AT}/threads/{number}/answer", {"text": "It is."})
    settled = asking.post(f"{AT}/threads/{number}/settle", {"text": "Seen."})
    after = asking.post(f"{AT}/threads/{number}/answer", {"text": "But"})

    assert begun.status_code == 201
    assert [(one["uid"], one["thread"], one["who"]) for one in waiting] == [
        ("UN-001", number, "Vera Wynn")
    ]
    assert [one["text"] for one in settled.json()["comments"]] == ["Is it?", "It is.", "Seen."]
    assert asking.get(f"{AT}/threads") == [settled.json()]
    assert (settled.json()["open"], after.status_code) == (False, 409)


def test_every_fault_of_a_talk_is_told_at_once(held: Office, service: FastAPI) -> None:
    program = Program(service, held.database, "PPL-VW", WRITE)
    read = program.get(AT)["expected"]

    wrong = program.post(f"{AT}/threads", {"read": read, "about": "field.nothing", "text": " "})
    stale = program.post(f"{AT}/threads", {"read": "x", "text": "Is it?"})

    assert [one["where"] for one in wrong.json()["faults"]] == ["text", "about"]
    assert (wrong.status_code, stale.status_code) == (422, 409)


def test_a_batch_is_re_reviewed_once_and_then_told_what_became_of_it(
    held: Office, service: FastAPI
) -> None:
    change(held, need(AFTER), "UN-001")
    program = Program(service, held.database, "PPL-CV", ACT)
    lines = program.get("/api/p/RPM/re-review", cause="RPM/UN-001")
    chosen = [one["choice"] for one in lines]

    done = program.post("/api/p/RPM/re-review", {"chosen": chosen, "reason": "It holds."})
    again = program.post("/api/p/RPM/re-review", {"chosen": chosen, "reason": "It holds."})

    with held.reading() as session:
        project, chidi = held.project(session), held.staff["PPL-CV"]
        assert lines_of(session, project, chidi, ["RPM"]) == []
    assert [one["record"]["uid"] for one in lines] == ["REQ-001", "REQ-002"]
    assert {one["happened"] for one in lines} == {"changed"}
    assert (done.status_code, done.json()) == (200, lines)
    assert again.status_code == 409
    assert [one["code"] for one in again.json()["faults"]] == ["cleared", "cleared"]
    assert program.get("/api/p/RPM/re-review") == []


def test_a_batch_without_reason_or_choice_changes_nothing(held: Office, service: FastAPI) -> None:
    change(held, need(AFTER), "UN-001")
    program = Program(service, held.database, "PPL-CV", ACT)

    answer = program.post("/api/p/RPM/re-review", {"chosen": [], "reason": " "})

    assert [one["code"] for one in answer.json()["faults"]] == ["none", "reason"]
    assert in_doubt(held) == ["REQ-001", "REQ-002"]


def test_a_revision_is_sent_back_and_an_issue_moved_but_neither_is_signed(
    held: Office, service: FastAPI
) -> None:
    amara = held.staff["PPL-AK"]
    with held.writing() as session:
        project = held.project(session)
        record = create_record(session, project, "user_need", need(AFTER), amara, uid="UN-009")
        submit(session, record, amara, held.proof("PPL-AK"), held.read(session, "UN-009"))
        create_record(session, project, "person", Content("Dr Dana Moss"), amara, uid="PPL-DM")
        found = {"found_in": "0.1.0", "severity": "minor", "safety_relevant": False}
        problem = Content("It fails", "So.", found, (LinkDraft("evaluated_by", "PPL-DM"),))
        create_record(session, project, "problem", problem, amara, uid="PR-001")
    reader, author = (Program(service, held.database, uid, ACT) for uid in ("PPL-EQ", "PPL-AK"))
    read = {uid: reader.get(f"/api/p/RPM/records/{uid}") for uid in ("UN-009", "PR-001")}

    back = reader.post(
        "/api/p/RPM/records/UN-009/reject",
        {"expected": read["UN-009"]["expected"], "reason": "Not clear."},
    )
    moving = {"expected": read["PR-001"]["expected"], "reason": "Looked at."}
    moved = author.post("/api/p/RPM/records/PR-001/move", {**moving, "to": "assessed"})
    signed = author.post(
        "/api/p/RPM/records/PR-001/move",
        {"expected": moved.json()["expected"], "reason": "No.", "to": "rejected"},
    )

    assert (back.status_code, back.json()["state"]) == (200, "draft")
    assert (moved.status_code, moved.json()["state"]) == (200, "assessed")
    assert signed.status_code == 403
    with held.reading() as session:
        record = held.record(session, "UN-009")
        assert back.json()["expected"] == edit_token(latest_revision(session, record))
        assert read_content(session, record).title == "Trust the numbers"
        waiting = author.get("/api/p/RPM/waiting")["drafts"]
        assert [one["uid"] for one in waiting] == ["PPL-DM"]
        [returned] = author.get("/api/p/RPM/waiting")["returned"]
        assert (returned["uid"], returned["reason"]) == ("UN-009", "Not clear.")
