"""A table leaves in the form that was asked for, under a name that a browser can keep."""

import pytest

from core.errors import Invalid
from core.exports import FORMATS, Sheet, export
from core.web.downloads import disposition, download, exported

SHEET = Sheet("Needs", ("id", "title"), [("UN-001", "Trust the numbers")], {"project": "RPM"})


@pytest.mark.parametrize("form", list(FORMATS))
def test_table_is_named_for_its_form_and_only_a_page_is_shown_at_once(form) -> None:
    answer = exported(SHEET, form, "RPM-needs")

    shown = "inline" if form == "html" else "attachment"
    assert answer.headers["content-disposition"] == f'{shown}; filename="RPM-needs.{form}"'
    assert answer.headers["content-type"] == FORMATS[form].media_type
    assert answer.body == export(SHEET, form)[0] if form in ("csv", "json", "html") else answer.body


def test_form_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        exported(SHEET, "docx", "RPM-needs")

    assert str(refused.value.faults[0]).startswith("docx: is no export format.")


def test_name_that_could_end_the_header_early_is_told_encoded() -> None:
    assert disposition('a".html') == "attachment; filename*=UTF-8''a%22.html"
    assert disposition("Größe\r\n.csv") == "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%0D%0A.csv"


def test_file_keeps_its_bytes_and_its_kind() -> None:
    answer = download(b"%PDF", "application/pdf", "REQ-001.pdf")

    assert (answer.body, answer.media_type) == (b"%PDF", "application/pdf")
