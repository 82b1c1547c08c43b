"""A release is chosen by uid, version or as the newest candidate; a planned one never is."""

import pytest

from core.errors import NotFound
from qms.releases.scope import NEWEST, choose_release, releases_of
from tests.qms.traceability.conftest import Book


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def releases(book):
    book.add("release", "REL-0.1.0", version="0.1.0", stage="candidate")
    book.add("release", "REL-0.2.0", version="0.2.0", stage="candidate", state="draft")
    book.add("release", "REL-0.10.0", version="0.10.0", stage="planned")
    book.add("release", "REL-0.0.9", version="0.0.9", state="withdrawn")
    book.add("test", "TST-001")
    book.add("requirement", "REQ-001")
    book.link("REL-0.1.0", "tested_by", "TST-001")
    book.link("REL-0.1.0", "delivers", "REQ-001")
    return releases_of(book.snapshot(), "RPM")


def test_candidates_stand_before_planned_ones_newest_first(releases) -> None:
    assert [one.uid for one in releases] == ["REL-0.2.0", "REL-0.1.0", "REL-0.10.0"]
    assert [one.label for one in releases] == [
        "0.2.0 candidate",
        "0.1.0 released",
        "0.10.0 planned",
    ]


@pytest.mark.parametrize("wanted", ["REL-0.1.0", "0.1.0"])
def test_a_release_is_found_by_uid_or_version(book, releases, wanted) -> None:
    release = choose_release(releases, wanted)

    assert release.uid == "REL-0.1.0"
    assert release.tests == {book.key("TST-001")}
    assert book.key("REQ-001") in release.delivered


def test_the_newest_is_the_newest_candidate(releases) -> None:
    assert choose_release(releases, NEWEST).uid == "REL-0.2.0"
    assert choose_release([one for one in releases if one.planned], NEWEST) is None


def test_no_release_means_the_latest_runs(releases) -> None:
    assert choose_release(releases, None) is None


def test_an_unknown_release_is_named(releases) -> None:
    with pytest.raises(NotFound, match=r"9\.9\.9"):
        choose_release(releases, "9.9.9")
