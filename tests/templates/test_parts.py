"""The parts every page is made of."""

import re
from types import SimpleNamespace

import pytest

ERROR_PAGES = (401, 403, 404, 409, 422, 429, 500)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "withdrawn", "in_work"])
def test_a_state_is_a_word_before_it_is_a_colour(show, state: str) -> None:
    assert words(show("{{ ui.state_tag(state) }}", state=state)) == state.replace("_", " ")


@pytest.mark.parametrize(
    ("word", "tone"),
    [
        ("passed", "verdict--good"),
        ("failed", "verdict--bad"),
        ("needs re-review", "verdict--warn"),
        ("older commit", "verdict--warn"),
    ],
)
def test_a_verdict_says_its_word_beside_its_colour(show, word: str, tone: str) -> None:
    html = show("{{ ui.verdict(word) }}", word=word)

    assert tone in html
    assert word in words(html)


@pytest.mark.parametrize("word", ["not run", "unknown since 3 Nov", "a word nobody listed"])
def test_what_is_not_known_never_looks_green(show, word: str) -> None:
    html = show("{{ ui.verdict(word) }}", word=word)

    assert "verdict--good" not in html
    assert "✓" not in html


def test_a_link_to_a_record_survives_any_identifier(show) -> None:
    html = show('{{ ui.uid_link(("RPM", uid)) }}', uid='"]] <b>/..')

    assert 'href="/p/RPM/%22%5D%5D%20%3Cb%3E/.."' in html
    assert "<b>" not in html


def test_every_fault_is_listed_escaped_and_leads_to_its_field(show) -> None:
    faults = [
        SimpleNamespace(code="A1", where="Title", what="is <empty>.", mend="Give it one."),
        SimpleNamespace(code="", where="SI-05", what="is withdrawn.", mend=""),
    ]

    html = show('{{ ui.fault_list(faults, anchors={"Title": "title"}) }}', faults=faults)

    assert '<a href="#title">Title</a>: is &lt;empty&gt;. Give it one.' in html
    assert "<strong>SI-05</strong>: is withdrawn." in html
    assert 'role="alert"' in html


def test_no_fault_shows_nothing(show) -> None:
    assert show("{{ ui.fault_list([]) }}").strip() == ""


def test_an_absent_fact_says_so(show) -> None:
    html = show('{{ ui.definition_list([("Rationale", none), ("Count", 0)]) }}')

    assert words(html) == "Rationale not stated Count 0"


@pytest.mark.parametrize(
    ("total", "page", "expected"),
    [
        (0, 1, "0 rows"),
        (26, 1, "26 rows · 1-26"),
        (126, 2, "126 rows · 51-100 Previous page 2 of 3 Next"),
        (126, 3, "126 rows · 101-126 Previous page 3 of 3"),
    ],
)
def test_a_list_says_what_part_of_it_is_shown(show, total: int, page: int, expected: str) -> None:
    html = show('{{ ui.pagination(total, page, 50, "?page=") }}', total=total, page=page)

    assert words(html) == expected


def test_what_was_typed_is_kept_and_cannot_break_out(show) -> None:
    html = show(
        '{{ fields.text("title", "Title", typed) }}{{ fields.area("body", "Text", typed) }}',
        typed='</textarea>"><script>',
    )

    assert "<script>" not in html
    assert html.count("&lt;/textarea&gt;&#34;&gt;&lt;script&gt;") == 2


def test_a_field_in_error_is_tied_to_its_message(show) -> None:
    html = show('{{ fields.text("title", "Title", hint="Short.", error="Missing.") }}')

    assert 'aria-describedby="title-hint title-error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="title-error"' in html


def test_a_form_that_changes_something_carries_its_token(show) -> None:
    html = show('{{ ui.confirm_form("/x", csrf, "Go", hidden={"expected": "d"}) }}', csrf="TOKEN")

    assert 'method="post"' in html
    assert "TOKEN" in html
    assert '<input type="hidden" name="expected" value="d">' in html


@pytest.mark.parametrize("status", ERROR_PAGES)
def test_an_error_page_can_be_drawn_with_nothing_but_its_message(jinja, status: int) -> None:
    html = jinja.get_template(f"errors/{status}.html").render(message="REQ-1 <x> is not here.")

    assert "REQ-1 &lt;x&gt; is not here." in html
    assert '<a href="/">' in html


def test_an_error_page_lists_every_fault(jinja) -> None:
    faults = [SimpleNamespace(code="", where=f"line {n}", what="is odd.", mend="") for n in (1, 2)]

    html = jinja.get_template("errors/422.html").render(message="Nothing was read.", faults=faults)

    assert "Nothing was read." in html
    assert "line 1" in html
    assert "line 2" in html


def test_a_demonstration_says_so_on_every_page(jinja, context) -> None:
    page = jinja.get_template("parts.html")

    shown = page.render(context)
    context["project"].demonstration = False

    assert "Demonstration." in shown
    assert "Demonstration." not in page.render(context)


def test_the_frame_marks_where_one_is_and_offers_the_way_out(jinja, context) -> None:
    html = jinja.get_template("parts.html").render(context)

    assert '<a href="/p/RPM/trace" aria-current="page">Trace</a>' in html
    assert html.count('aria-current="page">Trace') == 1
    assert '<form action="/sign-out" method="post">' in html


def test_the_person_menu_says_what_one_may_do_here(jinja, context) -> None:
    html = words(jinja.get_template("parts.html").render(context))

    assert "PPL-EQ · quality manager in RPM" in html
    assert "People" not in html.split("Sign out")[0].split("PPL-EQ")[1]


def test_without_a_project_the_way_to_the_map_stays(jinja, context) -> None:
    context["project"] = None

    html = jinja.get_template("parts.html").render(context)

    assert '<a href="/map">Department map</a>' in html
    assert "Trace</a>" not in html


def test_somebody_who_is_not_signed_in_sees_no_way_in_but_the_brand(jinja) -> None:
    html = jinja.get_template("errors/404.html").render(message="Nothing.")

    assert "/sign-out" not in html
    assert 'role="search"' not in html


def test_no_template_holds_script_or_style_of_its_own(jinja) -> None:
    offending = [
        name
        for name in jinja.list_templates(extensions=["html"])
        if not name.startswith(("pdf/", "validation/pdf/"))
        and re.search(
            r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals=.js:",
            jinja.loader.get_source(jinja, name)[0],
        )
    ]

    assert offending == []
