"""Documents say what the record says, mark what is no more than a draft, and invent nothing."""

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from markdown_it import MarkdownIt
from sqlmodel import Session

from core.db import open_database
from core.errors import Invalid
from core.markdown import to_html
from core.records.content import Content
from core.records.models import Project
from core.records.service import find_project
from core.records.types import get_registry
from core.settings import get_settings
from qms.baselines.current import project_snapshot
from qms.document_sets.parts import Source
from qms.document_sets.placing import demoted, heading_words
from qms.document_sets.rendering import Rendered, index_of, render_set
from qms.document_sets.templates import read_templates
from qms.document_sets.wording import field, plain, table
from qms.interchange.markdown.record_file import RecordFile
from qms.releases.gathering import find_release, gather
from tests.conftest import Office
from tests.qms.interchange.markdown.test_proposing import NEED, REQUIREMENT, keep

pytestmark = pytest.mark.verifies("TST-048")


@pytest.fixture(scope="module")
def session(demo_records: Path) -> Iterator[Session]:
    database = open_database(f"sqlite:///{demo_records}")
    with database.reading() as opened:
        yield opened
    database.engine.dispose()


def source_of(session: Session, project: Project, version: str = "") -> Source:
    snapshot = project_snapshot(session, project)
    release = find_release(snapshot, project.key, version) if version else None
    return Source(gather(session, project, release, snapshot), "Device & <Co>", get_registry())


def of(documents: list[Rendered], name: str) -> str:
    return next(one.text for one in documents if one.id == name)


def test_the_set_shows_every_requirement_risk_component_and_test(session: Session) -> None:
    project = find_project(session, "RPM")
    source = source_of(session, project, "0.1.0")

    documents = render_set(source, read_templates())

    shown = {
        "RPM-SRS": "requirement", "RPM-RMF": "risk", "RPM-SOUP": "soup", "RPM-TPL": "test",
        "RPM-INT": "user_need", "RPM-SDS": "software_item", "RPM-TRC": "requirement",
    }  # fmt: skip
    for name, kind in shown.items():
        text = of(documents, name)
        found = source.of_type(kind)
        assert found
        for one in found:
            assert plain(one.uid) in text
            assert plain(one.title) in text
    assert "0 of 7 tests passed" in of(documents, "RPM-TRP")
    assert "Draft: release 0.1.0 is not signed." in of(documents, "RPM-SRS")
    assert of(documents, "RPM-SRS").count("*Revision 1, draft; part of release 0.1.0*") == 8
    assert of(documents, "RPM-SRS").count("; not part of release 0.1.0*") == 18


def test_the_same_records_give_the_same_bytes(session: Session) -> None:
    project = find_project(session, "RPM")

    one, two = (
        render_set(source_of(session, project, "0.1.0"), read_templates()) for _ in range(2)
    )

    assert one == two


def test_an_empty_part_is_a_sentence_that_says_what_is_missing(office: Office) -> None:
    with office.reading() as session:
        source = source_of(session, office.project(session))
        documents = render_set(source, read_templates())

    assert "*Missing: RPM has no requirements.*" in of(documents, "RPM-SRS")
    assert "*Missing: RPM names no tests.*" in of(documents, "RPM-TRP")
    assert "*Missing: RPM has no risks.*" in of(documents, "RPM-RMF")
    assert "*Missing: Intended use. RPM has no project record.*" in of(documents, "RPM-INT")
    assert "*Missing: this set is made for no release.*" in of(documents, "RPM-REL")
    assert {one.status for one in documents} == {"Draft: made for no release."}
    assert (
        "| RPM-SRS | Software requirements specification | none | Draft: made for no release. |"
        in (index_of(source, documents))
    )


def test_what_nobody_approved_is_named(office: Office) -> None:
    keep(office, NEED, REQUIREMENT)
    with office.reading() as session:
        source = source_of(session, office.project(session))
        documents = render_set(source, read_templates())

    srs = next(one for one in documents if one.id == "RPM-SRS")
    assert srs.status == ("Draft: made for no release. 1 of 1 records are not approved, REQ-001.")
    assert "| REQ-001 | 4 | draft | nobody has signed |" in srs.text
    assert "- derives from: UN-001 See the dose" in srs.text


def test_a_text_of_a_record_is_never_a_placeholder_or_a_heading_of_the_document(
    office: Office,
) -> None:
    body = "# Mine\n\n{{ risks }} <b>|\n\n```\n# not a heading\n```"
    sly = Content("{{ head }} *a* | b", body, {"acceptance": "{{ tag }}\n# x\n1. y"})
    keep(office, NEED, type(REQUIREMENT)("RPM", "requirement", "REQ-001", sly))
    with office.reading() as session:
        source = source_of(session, office.project(session))
        srs = of(render_set(source, read_templates()), "RPM-SRS")

    assert "### REQ-001 \\{\\{ head \\}\\} \\*a\\* \\| b" in srs
    assert "#### Mine\n\n{{ risks }} &lt;b>|" in srs
    assert "\n# not a heading" in srs
    page = str(to_html(srs, top_heading=1))
    assert "{{ head }} *a* | b" in page
    assert "<li># x</li>" in page
    assert "<li>1. y</li>" in page


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "documents"
    folder.mkdir()
    monkeypatch.setenv("FIDUCIAL_DOCUMENTS_DIR", str(folder))
    get_settings.cache_clear()
    yield folder
    get_settings.cache_clear()


def test_a_department_replaces_one_of_ours_and_adds_its_own(own: Path, office: Office) -> None:
    (own / "02-requirements.md").write_text(
        "---\nid: URS\ntitle: What we need\n---\nOf {{ device }} ({{ project }}), {{ version }}.\n"
    )
    (own / "99-letter.md").write_text("---\nid: LET\ntitle: Letter\n---\n{{ head }}\n")
    (own / "README.md").write_text("Not a template.")

    with office.reading() as session:
        source = source_of(session, office.project(session))
        documents = render_set(source, read_templates())

    ids = [one.id for one in documents]
    assert "RPM-SRS" not in ids
    assert ids[1] == "RPM-URS"
    assert ids[-1] == "RPM-LET"
    assert documents[1].text == "# What we need\n\nOf Device &amp; &lt;Co> (RPM), none.\n"


def test_every_fault_of_every_template_is_told_with_its_line(own: Path, office: Office) -> None:
    (own / "a.md").write_text(
        "---\nid: A1\ntitle: A\n---\n\nSee {{ risk }}.\n\n{{ records requirment }}\n\n"
        "{{ table risk hazzard }}\n\nIn {{ records risk }} line\n\n{{ value project }}\n"
        "{{ import os }}\n{{}}\n"
    )

    with office.reading() as session, pytest.raises(Invalid) as caught:
        render_set(source_of(session, office.project(session)), read_templates())

    told = [(one.code, one.where, one.mend) for one in caught.value.faults]
    assert [one[:2] for one in told] == [
        ("DS02", f"a.md:{line}") for line in (6, 8, 10, 12, 14, 15, 16)
    ]
    assert told[0][2] == "Did you mean risks?"
    assert told[1][2] == "Did you mean requirement?"
    assert told[2][2] == "Did you mean hazard?"


@pytest.mark.parametrize(
    "text",
    [
        "no front matter", "---\nid: A1\n---\n", "---\nid: lower\ntitle: A\n---\n",
        "---\nid: A1\ntitle: A\ncolour: red\n---\n", "---\nid: A1\nid: A2\ntitle: A\n---\n",
        "---\nid: SRS\ntitle: A second one\n---\n",
    ],
)  # fmt: skip
def test_a_template_that_is_none_is_told(own: Path, text: str) -> None:
    (own / "zz.md").write_text(text)

    with pytest.raises(Invalid) as caught:
        read_templates()

    assert all(one.where.startswith("zz.md") for one in caught.value.faults)


def test_a_folder_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIDUCIAL_DOCUMENTS_DIR", str(tmp_path / "nowhere"))
    get_settings.cache_clear()

    with pytest.raises(Invalid, match="FIDUCIAL_DOCUMENTS_DIR: names"):
        read_templates()

    get_settings.cache_clear()


def test_values_stand_in_markdown_as_they_were_said() -> None:
    specs = get_registry().of("test").fields
    rows = [{"step": "Send | it", "expected": "5 < 6"}]

    assert field(specs["steps"], rows) == (
        "**Steps**\n\n| Step | Expected |\n| --- | --- |\n| Send \\| it | 5 &lt; 6 |"
    )
    assert table(["A"], [["x\ny"]]).endswith("| x / y |")
    assert demoted("~~~\n# a\n~~~\n###### b") == "~~~\n# a\n~~~\n###### b"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("```\nx", "```\nx\n```"),
        ("````\n```\n# a", "````\n```\n# a\n````"),
        ("~~~\n~~~ x\n# a\n~~~\n# b", "~~~\n~~~ x\n# a\n~~~\n#### b"),
        ("Limits\n===\nText", "#### Limits\n\nText"),
        ("All\nlimits\n---", "##### All limits\n"),
        ("Text\n\n---\nMore", "Text\n\n---\nMore"),
        ("- one\n---", "- one\n\n---"),
        ("```\nx\n```\n---", "```\nx\n```\n\n---"),
        ("| a |\n| --- |\n| b |", "| a |\n| --- |\n| b |"),
        ("<!-- a < b `c < d`", "&lt;!-- a &lt; b `c < d`"),
        ("```\n<x>\n```", "```\n<x>\n```"),
    ],
)
def test_the_text_of_a_record_stays_in_its_place(body: str, shown: str) -> None:
    assert demoted(body) == shown


PLACED = [
    ("- ```\n  make\n  ```\n\n# Limits", "- ```\n  make\n  ```\n\n#### Limits"),
    ("1. ~~~\n   make\n\n# Limits", "1. ~~~\n   make\n\n#### Limits"),
    ("> ```\n# Limits", "> ```\n#### Limits"),
    ("- a\n```\n<b>", "- a\n```\n<b>\n```"),
    ("  ```py title=x\n  <b>\n`````\n<b>", "```\n<b>\n```\n&lt;b>"),
    ("text\n2. ```\n<b>", "text\n2\\. ```\n&lt;b>"),
    ("[a]: b\n2. # H", "[a]: b\n2\\. # H"),
    ("\\`<details>\\`", "\\`&lt;details>\\`"),
    ("para\n    <details>", "para\n    &lt;details>"),
    ("a `\n` <details> `b`", "a `\n` &lt;details> `b`"),
    ("| a | b |\n| - | - |\n| `` | <b> | `` |", "| a | b |\n| - | - |\n| `` | &lt;b> | `` |"),
    ("- a\n\n      <b>", "- a\n\n      &lt;b>"),
    ("    a < b\n\n    c", "```\na < b\n\nc\n```"),
    ("> # Limits\n> b", "> #### Limits\n> b"),
    ("- Limits\n  ---", "- ##### Limits"),
    ("#Limits", "\\#Limits"),
    ("Use C#\n---", "##### Use C\\#\n"),
    ("> a\n===", "> a\n&#61;=="),
]


@pytest.mark.parametrize(("body", "shown"), PLACED)
def test_a_fence_in_a_list_or_quote_and_a_drawn_in_tag_move_nothing_behind_them(
    body: str, shown: str
) -> None:
    assert demoted(body) == shown
    stays(body)


def test_no_mixture_of_marks_moves_what_stands_behind_a_text() -> None:
    pieces = [
        "```", "~~~", "- ", "> ", "1. ", "2. ", "  ", "    ", " ", "a", "`", "``", "\\", "<b>",
        "#", " x", "---", "===", "|", "\n", "\n", "\n\n", "- ```", "<!--", "\t", "`<b>`", "# H",
        "* * *", "````", "```py t=1", "| - | - |", "[a]: <b>",
    ]  # fmt: skip
    chosen = Random(48)

    for _ in range(1_500):
        body = "".join(chosen.choices(pieces, k=chosen.randint(1, 9)))
        if body.strip():
            stays(body)


COMMON = [MarkdownIt("commonmark"), MarkdownIt("commonmark").enable("table")]


def stays(body: str) -> None:
    """Hold a text to its place, on paper and where CommonMark is rendered, with tables or none."""
    text = f"**Label**\n\n{demoted(body)}\n\n### Next\n\n**x**"

    for reader in COMMON:
        tokens = reader.parse(text)
        within = [one for token in tokens for one in (token, *(token.children or ()))]
        heads = [(one.tag, one.level) for one in tokens if one.tag in {"h1", "h2", "h3"}]
        assert not [one for one in within if one.type.startswith("html_")], body
        assert heads == [("h3", 0)] * 2, body
    page = str(to_html(text, top_heading=1))
    assert re.findall("<(h[1-3])>(.*?)</", page) == [("h3", "Next")], body


@pytest.mark.parametrize("title", ["C#", "C #", "#", "F# and C##", "\\#"])
def test_the_title_of_a_record_keeps_its_last_marks(title: str) -> None:
    said = f"### {heading_words(plain(title))}"

    assert to_html(said, top_heading=1) == f"<h3>{title}</h3>"
    assert COMMON[0].render(said) == f"<h3>{title}</h3>\n"


def test_a_title_that_ends_with_a_mark_stands_whole_in_a_document(office: Office) -> None:
    named = RecordFile("RPM", "requirement", "REQ-001", Content("Parse in C#"))
    keep(office, named)
    with office.reading() as session:
        source = source_of(session, office.project(session))
        srs = of(render_set(source, read_templates()), "RPM-SRS")

    assert "<h3>REQ-001 Parse in C#</h3>" in str(to_html(srs, top_heading=1))
