"""What another tool said of a record stands on its page and outlives edits; nobody types it."""

from collections.abc import Callable

from core.records.content import Content, RecordDraft
from core.records.importing import import_records
from core.records.pages import shown_fields
from core.records.service import latest_revision, read_content
from core.records.types import get_registry
from tests.conftest import Office
from tests.core.conftest import Browser, words_of

Open = Callable[[str], Browser]

ORIGIN = {
    "format": "doorstop",
    "id": "REQ-9",
    "fields": {"ref": "", "active": True},
    "links": [{"role": "parent", "target": "REQ-1", "became": "traces_to"}],
}


def come_in(office: Office) -> None:
    with office.writing() as session:
        drafts = [
            RecordDraft("RPM", "item", "REQ-9", Content("A heading", "", {"origin": ORIGIN})),
            RecordDraft("RPM", "item", "ITM-1", Content("Of our own")),
        ]
        import_records(session, drafts, office.staff["PPL-AK"], get_registry())


def test_an_origin_is_a_table_on_the_page_and_stays_when_the_record_is_edited(
    office: Office, browser_of: Open
) -> None:
    come_in(office)
    amara = browser_of("PPL-AK")

    page = words_of(amara.open("/p/RPM/REQ-9").text)
    form = amara.open("/p/RPM/REQ-9/edit").text
    answer = amara.send("/p/RPM/REQ-9/edit", {"title": "A better heading"}, action="save")

    assert "role: parent, target: REQ-1, became: traces_to" in page
    assert "active: yes" in page
    assert "field.origin" not in form
    assert answer.status_code == 200
    with office.reading() as session:
        content = read_content(session, office.record(session, "REQ-9"))
    assert (content.title, content.fields) == ("A better heading", {"origin": ORIGIN})


def test_a_record_that_was_never_imported_is_not_told_to_lack_an_origin(office: Office) -> None:
    come_in(office)

    with office.reading() as session:
        ours, theirs = (
            shown_fields(get_registry().of("item"), latest_revision(session, record))
            for record in (office.record(session, "ITM-1"), office.record(session, "REQ-9"))
        )

    assert ours == ([], [])
    assert [spec.label for spec, _ in theirs[0]] == ["Origin"]
