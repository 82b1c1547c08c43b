"""The map leaves as a file and comes back as the same records."""

import zipfile
from io import BytesIO

import pytest

from core.db import Database
from core.errors import Invalid
from core.people.actor import Actor
from core.records.content import Content, LinkDraft, RecordDraft, content_digest
from core.records.service import (
    edit_token,
    find_project,
    find_record,
    latest_revision,
)
from core.records.sheets.cells import bare, guarded, joined, separated
from core.records.types import get_registry
from dataflows.department import drafts, read_department
from dataflows.interchange.document import department_yaml
from dataflows.interchange.planning import Verdict, normalised, plan
from dataflows.interchange.service import export_department, keep_import, plan_import, read_file
from dataflows.interchange.tables import department_zip, read_zip
from tests.dataflows.conftest import HOSTILE

STRANGE = ("=HYPERLINK(1)", "'=x", "-1", "@a", "a; b\\; c", "; ", "true", "1.10", "2026-03-10",
           "null", "~", "on", " two  blanks ", "0x10", "#", "- x", "a: b")  # fmt: skip
"""What spreadsheets and YAML readers like to take for something else."""


def _same(
    before: list[RecordDraft], after: list[RecordDraft], project: str = "DEPT"
) -> list[tuple[str, str]]:
    def digests(found: list[RecordDraft]) -> dict[str, str]:
        return {
            one.uid or "": content_digest(
                project,
                one.type,
                one.uid or "",
                normalised(get_registry().of(one.type), one.content, project),
            )
            for one in found
        }

    assert len(before) == len(after)
    return sorted(set(digests(before).items()) ^ set(digests(after).items()))


def test_the_demo_department_is_the_same_after_yaml_and_after_sheets(
    map_db: Database, department_drafts: list[RecordDraft]
) -> None:
    text = department_yaml("DEPT", "A department", department_drafts)
    sheets = department_zip(department_drafts, "DEPT")

    again = drafts(read_department(text, "map.yaml"))
    back = read_zip(sheets, "map.zip", "DEPT")

    assert _same(department_drafts, again) == []
    assert _same(department_drafts, back) == []
    assert department_yaml("DEPT", "A department", again) == text
    assert "records:" not in text.splitlines()  # each fits the entry of its kind
    assert department_zip(back, "DEPT") == sheets


def test_importing_an_export_into_the_same_map_changes_nothing(
    map_db: Database, author: Actor
) -> None:
    with map_db.reading() as session:
        project = find_project(session, "DEPT")
        for form in ("yaml", "zip"):
            data = export_department(session, project, form)
            found = plan_import(session, project, read_file(data, f"map.{form}", "DEPT"), author)

            assert found.faults == ()
            assert found.counts == {Verdict.CREATE: 0, Verdict.CHANGE: 0, Verdict.UNCHANGED: 213}
            assert found.absent == ()


def test_a_changed_file_changes_one_record_and_tells_which_value(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        text = export_department(session, project, "yaml").decode()
        edited = text.replace("Digitiser", "Scanner") if "Digitiser" in text else text
        edited = text.replace("tls: false", "tls: true", 1)
        assert edited != text
        found = read_file(edited.encode(), "map.yaml", "DEPT")

        before = plan(session, project, found, author)
        keep_import(session, project, found, author, "Surveyed again.")
        after = plan(session, project, found, author)

        assert before.counts[Verdict.CHANGE] == 1
        [changed] = [one for one in before.planned if one.verdict is Verdict.CHANGE]
        assert [one.label for one in changed.differences] == ["Encrypted (TLS)"]
        assert after.counts[Verdict.UNCHANGED] == 213


@pytest.mark.parametrize("form", ["yaml", "zip"])
def test_unfinished_and_strangely_worded_records_come_back_as_they_were(
    map_db: Database, form: str
) -> None:
    words = [*HOSTILE, *STRANGE]
    found = [
        RecordDraft("DEPT", "system", f"S{n}", Content(" ".join(word.split()) or "x", word))
        for n, word in enumerate(words)
    ]
    found += [
        RecordDraft(
            "DEPT",
            "connection",
            "C1",
            Content(
                "Half done",
                fields={
                    "data_types": words[12:],
                    "interface": STRANGE[0],
                    "tls": False,
                    "associations": [{"role": "store", "scu_ae": "=A"}],
                    "known_gaps": [{"what": "no id"}],
                },
                links=(LinkDraft("to_system", "S1"),),
            ),
        ),
        RecordDraft(
            "DEPT",
            "qa_procedure",
            "QA-007",
            Content(
                "Two at once",
                fields={"scope": "connection"},
                links=(
                    LinkDraft("monitors", "REQ-001", "RPM"),
                    LinkDraft("controls_connection", "C1"),
                ),
            ),
        ),
        RecordDraft("DEPT", "pathway", "P1", Content("Empty")),
    ]
    if form == "zip":
        # A cell of a sheet has no NUL and no other control character of old terminals.
        back = read_zip(department_zip(found, "DEPT"), "map.zip", "DEPT")
    else:
        back = drafts(read_department(department_yaml("DEPT", "x", found), "map.yaml"))

    assert _same(found, back) == []


@pytest.mark.parametrize("text", [*STRANGE, *HOSTILE])
def test_a_cell_is_no_formula_and_comes_back(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert bare(guarded(text)) == text
    assert separated(joined([text, "x"])) == [text, "x"]


def test_every_fault_of_the_sheets_is_named_at_once(
    map_db: Database, department_drafts: list[RecordDraft]
) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("systems.csv", "id,titel,kind\nA,Sender,archive\n")
        archive.writestr("pathways.steps.csv", "of,to,entry\nP9,C1,yes\n")
        archive.writestr("notes.csv", "x\n")

    with pytest.raises(Invalid) as refused:
        read_zip(out.getvalue(), "map.zip", "DEPT")

    told = [str(fault) for fault in refused.value.faults]
    assert len(told) == 3, told
    assert "systems.csv:1: There is no column 'titel'. Did you mean Title?" in told[0]
    assert "pathways.steps.csv:2: It belongs to P9" in told[1]
    assert "notes" in told[2]


def test_a_file_that_unpacks_to_more_than_it_may_is_not_unpacked(map_db: Database) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("systems.csv", b"x" * 61_000_000)

    with pytest.raises(Invalid, match="cannot be read"):
        read_zip(out.getvalue(), "map.zip", "DEPT")


def test_an_id_of_a_withdrawn_record_is_not_given_again(map_db: Database, author: Actor) -> None:
    from core.records.withdrawing import withdraw

    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        record = find_record(session, project, "C061")
        text = export_department(session, project, "yaml")
        withdraw(session, record, author, "Gone.", edit_token(latest_revision(session, record)))

        found = plan(session, project, read_file(text, "map.yaml", "DEPT"), author)

        assert [fault.code for fault in found.faults if "C061 is withdrawn" in fault.what] == [
            "uid-taken"
        ]
