"""Markdown on a page: what is written is shown, and nothing that is shown can act."""

from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from core.markdown import to_html
from tests.effort import effort

pytestmark = pytest.mark.verifies("TST-036")

ADDRESSES = {"REQ-009": "/p/RPM/REQ-009", "REL-0.1.0": "/p/RPM/REL-0.1.0"}


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def parsed(text: str, **options: object) -> _Elements:
    elements = _Elements()
    elements.feed(to_html(text, **options))  # type: ignore[arg-type]
    return elements


@pytest.mark.parametrize(
    "text",
    [
        '"]] !include /etc/passwd <b>',
        "<script>alert(1)</script>",
        "<div onclick=x>words</div>",
        "dose <5 Gy and volume >3 cc",
        "<!-- a hidden remark -->",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
    ],
)
def test_a_typed_tag_is_shown_as_typed(text: str) -> None:
    elements = parsed(text)

    assert {tag for tag, _ in elements.found} == {"p"}
    assert elements.words.strip() == text


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java&#115;cript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
    ],
)
def test_a_link_never_runs_code_nor_reads_files(address: str) -> None:
    links = [given for tag, given in parsed(f"[words]({address})").found if tag == "a"]

    assert all("href" not in link for link in links)


@pytest.mark.parametrize(
    "source",
    [
        "http://evil.example/x.png",
        "//evil.example/x.png",
        "/\\evil.example/x.png",
        "data:image/png;base64,AAAA",
        "x.png",
    ],
)
def test_an_image_from_elsewhere_is_a_link_not_a_request(source: str) -> None:
    elements = parsed(f"before ![a chart]({source}) after")

    assert "img" not in {tag for tag, _ in elements.found}
    assert elements.words.strip() == "before [image elsewhere: a chart] after"


def test_an_image_of_this_installation_is_shown() -> None:
    elements = parsed("![dose](/files/ab12)")

    assert ("img", {"alt": "dose", "src": "/files/ab12"}) in elements.found


def test_links_tell_the_other_side_nothing() -> None:
    elements = parsed("[a](https://example.org) and <https://example.org>")

    links = [given for tag, given in elements.found if tag == "a"]
    assert [link["rel"] for link in links] == ["noopener noreferrer nofollow"] * 2


def test_record_ids_become_links_but_not_in_code_links_or_longer_words() -> None:
    text = (
        "REQ-009, (REL-0.1.0). `REQ-009` [REQ-009](/elsewhere) XREQ-009 REQ-009-b a/REQ-009 REQ-1"
    )

    links = [
        given["href"]
        for tag, given in parsed(text, record_address=ADDRESSES.get).found
        if tag == "a"
    ]

    assert links == ["/p/RPM/REQ-009", "/p/RPM/REL-0.1.0", "/elsewhere"]


def test_headings_stay_below_those_of_the_page() -> None:
    elements = parsed("# One\n\n## Two\n\n###### Six")

    assert [tag for tag, _ in elements.found] == ["h3", "h4", "h6"]


def test_a_table_aligns_without_inline_styles() -> None:
    elements = parsed("| name | Gy |\n|---|--:|\n| rectum | 39.1 |")

    assert ("td", {"align": "right"}) in elements.found
    assert all("style" not in given for _, given in elements.found)


def test_the_result_is_not_escaped_again_by_a_template() -> None:
    assert isinstance(to_html("**x**"), Markup)


@pytest.mark.parametrize(
    "text",
    [
        ">" * 5000 + " deep",
        "\n".join("    " * depth + "- item" for depth in range(300)),
        "[" * 20_000,
        "![" * 20_000,
        "[" * 10_000 + "]" * 10_000,
        "[a](/b) " * 5_000,
        "*a_ " * 20_000,
        "<a " * 20_000,
    ],
    ids=["quotes", "lists", "open", "images", "nested", "links", "emphasis", "tags"],
)
def test_hostile_text_is_shown_within_a_second_or_two(text: str) -> None:
    shown: list[str] = []

    spent = effort(lambda: shown.append(parsed(text).words))

    # The plain library takes 34 s for the open brackets alone.
    assert spent < 500
    assert shown[0].strip()


def test_a_text_too_long_to_render_is_shown_as_it_is() -> None:
    elements = parsed("**x** <b>" + " word" * 250_000)

    assert [tag for tag, _ in elements.found] == ["pre"]
    assert elements.words.startswith("**x** <b> word")
