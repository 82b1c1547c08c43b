"""A view that is kept is the question, under a name; what of it no longer exists is said."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from app.main import ROUTERS
from core.ledger.models import LedgerEntry
from core.people.models import Person, RoleGrant
from qms.traceability.views.models import DefaultView, SavedView
from qms.traceability.views.service import MOST_VIEWS

AT = "/p/RPM/trace/views"
NEEDS = "rows=user_need&columns=requirement&columns=test&show=uncovered&sort=id"


@pytest.fixture
def site(new_site):
    return new_site(*ROUTERS)


@pytest.fixture
def esther(site):
    return site.browser("PPL-EQ", "quality_manager")


def post(browser, address, **typed):
    uid = browser.cookies["fiducial_session"].removeprefix("token-")
    return browser.post(address, data={"csrf_token": f"csrf-{uid}", **typed})


def keep(browser, name, query=NEEDS, **typed) -> int:
    """Keep a view and return its number."""
    answer = post(browser, f"{AT}?{query}", name=name, **typed)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


def lines(site) -> list[tuple[str, str]]:
    """Return what the audit trail says of views."""
    with site.db.reading() as session:
        rows = session.scalars(
            select(LedgerEntry)
            .where(col(LedgerEntry.action).startswith("trace:view"))
            .order_by(col(LedgerEntry.seq))
        )
        return [(one.action, one.subject) for one in rows]


def test_kept_view_leads_back_to_the_same_question(esther, words) -> None:
    number = keep(esther, "Needs to cover")

    opened = esther.get(f"{AT}/{number}")

    asked = parse_qs(urlsplit(opened.headers["location"]).query)
    assert asked == {
        "rows": ["user_need"],
        "columns": ["requirement", "test"],
        "show": ["uncovered"],
        "sort": ["id"],
        "saved": [str(number)],
    }
    page = words(esther.get(opened.headers["location"]))
    assert "View Needs to cover" in page
    assert "changed since it was opened" not in page


def test_matrix_says_when_it_shows_something_else_than_the_view(esther, words) -> None:
    number = keep(esther, "Needs to cover")

    page = esther.get(f"/p/RPM/trace?rows=user_need&show=unsigned&saved={number}")

    assert "View Needs to cover changed since it was opened" in words(page)
    assert f'name="saved" value="{number}"' in page.text, "the choices above the table keep it"


def test_newest_release_is_followed_or_one_is_named(esther, words) -> None:
    keep(esther, "This one", "release=REL-0.1.0")
    keep(esther, "Newest", "release=REL-0.1.0", newest="true")

    page = words(esther.get(f"{AT}?release=REL-0.1.0"))

    assert "This one requirements with the usual columns; every row; release 0.1.0" in page
    assert "Newest requirements with the usual columns; every row; the newest release" in page
    assert "Always show the newest release instead of this one" in page


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("rows=spell", "spell : is no record type."),
        ("columns=spell&columns=charm", "charm : is no record type."),
        ("release=REL-9", "REL-9 : is no release of this project"),
        ("show=haunted", "haunted : is no filter of the matrix."),
        ("sort=mood", "mood : is no order of the matrix."),
    ],
)
def test_what_does_not_exist_is_not_kept(esther, site, words, query, told) -> None:
    refused = post(esther, f"{AT}?{query}", name="Odd")

    assert refused.status_code == 422
    assert told in re.sub(r" ?: ", " : ", words(refused))
    assert 'value="Odd"' in refused.text
    with site.db.reading() as session:
        assert session.scalars(select(SavedView)).all() == []


def test_view_that_names_what_is_gone_says_so_and_shows_nothing_else(esther, site, words) -> None:
    number = keep(esther, "Old")
    with site.db.writing() as session:
        gone = {"rows": "spell", "columns": [], "release": "REL-9", "show": "haunted"}
        session.execute(update(SavedView).values(query=gone))

    opened = esther.get(f"{AT}/{number}")

    assert opened.status_code == 409
    said = words(opened)
    assert "The view Old can no longer be shown." in said
    for name in ("spell", "REL-9", "haunted"):
        assert name in said
    assert "data-why" not in opened.text


def test_own_view_is_for_its_owner_alone_until_it_is_shared(esther, site, words) -> None:
    amara = site.browser("PPL-AM", "author")
    number = keep(amara, "Mine")

    assert "No view has been kept yet." in words(esther.get(AT))
    assert esther.get(f"{AT}/{number}").status_code == 404
    for act in ("rename", "replace", "delete", "default"):
        assert post(esther, f"{AT}/{number}/{act}", name="Ours").status_code == 404
    shared = post(amara, f"{AT}/{number}/rename", name="Ours", shared="true")
    assert shared.headers["location"] == AT

    assert "Ours" in words(esther.get("/p/RPM/trace?rows=user_need"))
    assert esther.get(f"{AT}/{number}").status_code == 303
    assert lines(site) == [("trace:view:share", "Ours")]


def test_only_the_owner_changes_a_shared_view_and_a_quality_manager_deletes_it(
    esther, site
) -> None:
    amara, vera = site.browser("PPL-AM", "author"), site.browser("PPL-VV", "viewer")
    number = keep(amara, "Ours", shared="true")
    for browser in (esther, vera):
        assert post(browser, f"{AT}/{number}/rename", name="Theirs").status_code == 403
        assert post(browser, f"{AT}/{number}/replace", name="Theirs").status_code == 403
    assert post(vera, f"{AT}/{number}/delete").status_code == 403

    assert post(vera, f"{AT}/{number}/default", wanted="true").status_code == 303
    assert post(esther, f"{AT}/{number}/delete").status_code == 303

    assert vera.get("/p/RPM/trace").status_code == 200
    with site.db.reading() as session:
        assert session.scalars(select(DefaultView)).all() == []
    assert lines(site) == [("trace:view:share", "Ours"), ("trace:view:delete", "Ours")]


def test_replaced_view_shows_the_new_question_and_the_trail_tells_it(esther, site) -> None:
    number = keep(esther, "Ours", shared="true")

    answer = post(esther, f"{AT}/{number}/replace?rows=risk&show=unsigned")

    assert answer.headers["location"] == f"{AT}/{number}"
    assert "rows=risk" in esther.get(f"{AT}/{number}").headers["location"]
    assert lines(site) == [("trace:view:share", "Ours"), ("trace:view:replace", "Ours")]


def test_view_that_is_taken_back_no_longer_opens_for_others(esther, site) -> None:
    vera = site.browser("PPL-VV", "viewer")
    number = keep(esther, "Ours", shared="true")
    for browser in (esther, vera):
        post(browser, f"{AT}/{number}/default", wanted="true")

    post(esther, f"{AT}/{number}/rename", name="Ours")

    assert vera.get("/p/RPM/trace").status_code == 200
    assert esther.get("/p/RPM/trace").headers["location"] == f"{AT}/{number}"
    assert lines(site) == [("trace:view:share", "Ours"), ("trace:view:unshare", "Ours")]


def test_matrix_opens_with_the_default_only_where_nothing_is_asked(esther) -> None:
    number = keep(esther, "Mine")
    post(esther, f"{AT}/{number}/default", wanted="true")

    assert esther.get("/p/RPM/trace").headers["location"] == f"{AT}/{number}"
    assert esther.get("/p/RPM/trace?rows=risk").status_code == 200
    post(esther, f"{AT}/{number}/default")

    assert esther.get("/p/RPM/trace").status_code == 200


def test_name_is_asked_for_and_stands_once(esther, words) -> None:
    keep(esther, "Mine")

    for name in ("", "   ", "x" * 81, "a\tb"):
        assert post(esther, f"{AT}?{NEEDS}", name=name).status_code == 422
    twice = post(esther, f"{AT}?{NEEDS}", name=" Mine ")

    assert twice.status_code == 422
    assert "“Mine” is the name of another view of yours." in words(twice)


def test_who_only_runs_the_installation_keeps_views_but_shares_none(site, words) -> None:
    root = site.browser("PPL-RT")
    with site.db.writing() as session:
        person = session.scalars(select(Person).where(col(Person.uid) == "PPL-RT")).one()
        session.add(RoleGrant(person_id=person.id or 0, project_id=None, role="administrator"))
    assert "Share it" not in words(root.get(AT))

    assert keep(root, "Mine")
    refused = post(root, f"{AT}?{NEEDS}", name="Ours", shared="true")

    assert refused.status_code == 403
    assert "needs a role in the project" in words(refused)


def test_there_is_an_end_to_views(esther, site, words) -> None:
    keep(esther, "View 0")
    with site.db.writing() as session:
        [first] = session.scalars(select(SavedView)).all()
        for number in range(1, MOST_VIEWS):
            session.add(
                SavedView(
                    project_id=first.project_id,
                    person_id=first.person_id,
                    name=f"View {number}",
                    query=first.query,
                )
            )

    refused = post(esther, f"{AT}?{NEEDS}", name="One more")

    assert refused.status_code == 409
    assert f"You have {MOST_VIEWS} views in RPM" in words(refused)


def test_text_of_a_name_stays_text(esther) -> None:
    number = keep(esther, "<b>bold</b>")

    page = esther.get(f"/p/RPM/trace?rows=user_need&saved={number}").text

    assert "<b>bold</b>" not in page
    assert "<b>bold</b>" in unescape(page)
