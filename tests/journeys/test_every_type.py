"""The pages of every type of record, for everybody: a record, a new one, a change of one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from core.records.types import get_registry
from tests.journeys.conftest import Desk
from tests.journeys.deeds import press
from tests.journeys.roles import (
    ADMINISTRATOR,
    AUTHOR,
    READER,
    REFUSED,
    answering_strangers,
    met_by,
)
from tests.journeys.visits import DESK, Visit

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROOT = Path(__file__).parents[2]

TYPES = {
    project: sorted(file.stem for file in (ROOT / folder).glob("*.yaml"))
    for project, folder in (("RPM", "qms/types"), ("DEPT", "dataflows/types"))
}


@pytest.fixture(scope="module", name="people")
def _people(desk: Desk) -> dict[str, Page]:
    return {name: desk.person(name) for name in (READER, AUTHOR, ADMINISTRATOR)}


@pytest.fixture(scope="module", name="waiver")
def _waiver(people: dict[str, Page]) -> str:
    """Write the one kind of record that the demonstration lacks, from where it is asked for."""
    author = people[AUTHOR]
    author.goto("/p/RPM/releases/REL-1.0.0")
    author.get_by_role("link", name="Ask for a concession").first.click()
    author.get_by_label("Title").fill("Validation with users follows")
    press(author, author.get_by_role("button", name="Save draft"))
    return author.url.rpartition("/")[2]


@pytest.fixture(scope="module", name="visit")
def _visit(desk: Desk, people: dict[str, Page], waiver: str) -> Visit:
    """Open the pages of every type once and look at them; the tests read what was found."""
    # The pages of a record are looked at in both widths where every page is.
    visit = Visit(desk.origin, desk.axe, seen_at=(DESK,), every_page_at=())
    visit.watch(people[AUTHOR])
    for project, types in TYPES.items():
        for address in _addresses_of_types(people[AUTHOR], project, types):
            visit.open(people[AUTHOR], address)
    assert f"/p/RPM/{waiver}" in visit.opened
    return visit


def _addresses_of_types(author: Page, project: str, types: list[str]) -> Iterator[str]:
    """Yield the page of one record of every type, and the forms of every shape of type."""
    shapes = set()
    for name in types:
        listed = author.request.get(f"/p/{project}/records?type={name}&format=json").json()["rows"]
        records = [f"/p/{project}/{row['Uid']}" for row in listed[:1]]
        yield from records
        shape = _shape(name)
        if shape not in shapes:
            shapes.add(shape)
            yield from (f"/p/{project}/new/{name}", *(f"{record}/edit" for record in records))


def _shape(name: str) -> tuple[object, ...]:
    """Return what forms are generated from: types of one shape have the same kinds of input."""
    one = get_registry().of(name)
    cells = [spec for field in one.fields.values() for spec in field.columns.values()]
    inputs = frozenset(spec.kind for spec in (*one.fields.values(), *cells))
    attributes = any(spec.attributes for spec in one.links.values())
    return (one.lifecycle, inputs, bool(one.links), attributes)


def test_every_type_is_read_by_everybody_at_both_widths(visit: Visit) -> None:
    assert "\n".join(visit.faults) == ""
    assert visit.asked_elsewhere == []


@pytest.mark.parametrize("name", [READER, AUTHOR, ADMINISTRATOR])
def test_every_type_is_a_page_or_a_refusal_in_words_for_each_person(
    visit: Visit, people: dict[str, Page], name: str
) -> None:
    assert len(visit.opened) > 30

    assert "\n".join(met_by(visit, people[name], REFUSED[name])) == ""


def test_no_record_answers_whoever_has_not_signed_in(desk: Desk, visit: Visit) -> None:
    assert answering_strangers(desk, visit.opened) == []


def test_no_record_leads_nowhere(visit: Visit) -> None:
    assert len(visit.links) > 200
    assert "\n".join(visit.dead_ends()) == ""
