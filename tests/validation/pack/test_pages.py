"""The printed pack: what stands on its pages."""

import io
import re
from dataclasses import replace

import pypdf
import pytest

from core.pdf import render_pdf
from tests.validation.pack.synthetic import make_contents
from validation.pack.contents import PackContents
from validation.pack.pages import pack_html, risk_matrix, stylesheets, test_summary

DIGEST = "9c41d0e2a7b1" + "0" * 52
test_summary.__test__ = False  # a function of the product, not a test


def print_pack(contents: PackContents) -> pypdf.PdfReader:
    """Print contents without building the rest of the pack."""
    printed = render_pdf(
        pack_html(contents, DIGEST, ["3f2a" * 16]),
        title="Pack", identifier="x", created=contents.cover.frozen_at,
        stylesheets=stylesheets(contents.cover.demonstration),
    )  # fmt: skip
    return pypdf.PdfReader(io.BytesIO(printed))


def text_of(reader: pypdf.PdfReader) -> str:
    """Return the words of all pages, with single spaces."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages))


@pytest.fixture(scope="module")
def contents() -> PackContents:
    return make_contents(7, 3)[0]


@pytest.fixture(scope="module")
def printed(contents) -> pypdf.PdfReader:
    return print_pack(contents)


def test_every_page_says_what_it_belongs_to(printed) -> None:
    count = len(printed.pages)
    for number, page in enumerate(printed.pages, start=1):
        words = page.extract_text()

        assert f"Page {number} of {count}" in words
        assert "digest 9c41d0e2a7b1" in words
        assert "Printed copies are uncontrolled" in words
        assert "DEMONSTRATION" in words
        assert "RPM-VP-0.1.0" in words
        assert "RT Plan Metrics" in words


def test_only_a_demonstration_is_marked_as_one(contents) -> None:
    real = replace(contents, cover=replace(contents.cover, demonstration=False))

    assert "DEMONSTRATION" not in text_of(print_pack(real))


def test_the_cover_tells_a_director_the_verdict(printed) -> None:
    cover = re.sub(r"\s+", " ", printed.pages[0].extract_text())

    assert "Released as a bench candidate." in cover
    assert "16 of 18 pass, 1 by concession, 1 warns, 0 fail" in cover
    assert "7 passed, 0 failed, 1 not run" in cover
    assert "1 concession, 1 deviation, 1 known problem" in cover
    assert "Esther Quill quality manager released 20 Nov 2026 16:28 UTC" in cover
    assert "3f2a 3f2a 3f2a" in cover


def test_expected_stands_beside_actual(printed) -> None:
    words = text_of(printed)

    assert "Rectum Dmean 39.113 ± 0.15 39.1131 Gy passed" in words
    assert "Largest error of V at most 0.4 0.31 % of volume passed" in words
    assert "Logs of this scenario: recorder.jsonl" in words


def test_an_unsuccessful_attempt_is_printed_like_any_other(printed) -> None:
    words = text_of(printed)

    assert "Run 13: release-0.1.0, interrupted" in words
    assert "The attempt ended before this step." in words
    assert "Repeats run 13: The worker was restarted." in words
    assert "1 of 2 attempts did not pass" in words


def test_a_warning_and_a_concession_are_printed_with_their_reasons(printed) -> None:
    words = text_of(printed)

    assert "DOC-PMS was to be reviewed by 1 Nov 2026." in words
    assert "WVR-001 for 14: The bench machine is the build machine" in words
    assert "Signed by Esther Quill, 20 Nov 2026 13:58 UTC; expires 2027-03-01." in words


def _bookmarks(outline) -> list[str]:
    titles = []
    for item in outline:
        titles += _bookmarks(item) if isinstance(item, list) else [item.title]
    return titles


def test_every_record_section_and_run_is_a_bookmark(printed, contents) -> None:
    titles = _bookmarks(printed.outline)

    for uid in [record.uid for record in contents.records] + ["WVR-001"]:
        assert [title for title in titles if title.startswith(uid)], uid
    assert [title for title in titles if title.startswith("Run 14")]
    assert any("Traceability" in title for title in titles)


def test_the_list_of_contents_gives_the_page_of_each_section(printed) -> None:
    listed = re.findall(r"^\d+\s+(\D+?)\s*(\d+)$", printed.pages[1].extract_text(), re.MULTILINE)

    assert len(listed) == 13
    for title, page in listed:
        assert title in re.sub(r"\s+", " ", printed.pages[int(page) - 1].extract_text())


def test_a_table_that_runs_over_pages_repeats_its_heading(printed) -> None:
    pages = [page.extract_text() for page in printed.pages]
    first = next(n for n, text in enumerate(pages) if "Run 14: release" in text)
    steps = [text for text in pages[first:] if "Rectum V30Gy" in text]

    assert len(steps) > 2
    assert all("Step or measured quantity" in text for text in steps)


def test_what_people_typed_shows_literally(contents) -> None:
    record = contents.records[1]
    hostile = '<script>x</script> "]] {{ 7*7 }} <img src="file:///etc/passwd">'
    content = {
        **record.content,
        "title": hostile,
        "body": hostile + " ![a chart](/p/RPM/files/chart.png) ![else](http://x.example/y.png)",
        "fields": {"category": hostile},
    }
    changed = replace(contents, records=(replace(record, content=content),))

    words = text_of(print_pack(changed))

    assert words.count('<script>x</script> "]] {{ 7*7 }} <img src="file:///etc/passwd">') == 3
    assert "[picture: a chart]" in words
    assert "root:" not in words


def test_empty_parts_say_so_in_sentences(contents) -> None:
    empty = replace(
        contents, trace=(), risks=(), runs=(), not_run=(), deviations=(), anomalies=(), soup=(),
        components=(), signatures=(), device=(), changes=(), competence=(),
    )  # fmt: skip

    words = text_of(print_pack(empty))

    for sentence in (
        "Not signed yet.", "The release names no requirement.", "holds no risk.",
        "No run was made for this release.", "Every attempt passed.", "No deviation was recorded.",
        "No problem is known to be open", "The register of components is empty.",
        "No change is recorded", "No training is recorded.", "No run left a file.",
    ):  # fmt: skip
        assert sentence in words


def test_the_matrix_counts_each_risk_in_its_cell(contents) -> None:
    rows = risk_matrix(contents.risk_policy, [risk.before for risk in contents.risks])

    assert [row.probability for row in rows] == [
        "Very high", "High", "Medium", "Low", "Very low",
    ]  # fmt: skip
    assert rows[2].cells[3] == ("3 tolerable", 2, 3)
    assert sum(count for row in rows for _, _, count in row.cells) == len(contents.risks)


def test_a_test_counts_by_its_last_execution(contents) -> None:
    assert test_summary(contents) == {"passed": 7, "failed": 0, "not_run": 1}
    assert test_summary(replace(contents, runs=contents.runs[:1])) == {
        "passed": 0, "failed": 0, "not_run": 2,
    }  # fmt: skip
