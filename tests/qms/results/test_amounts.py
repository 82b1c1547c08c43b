"""What a report costs grows with the report, and what it would blow up to is refused."""

import json
from collections.abc import Callable

import pytest

from core.blobs import BlobStore, StoredBlob
from core.errors import Invalid
from qms.results import service
from qms.results.arriving import Sent, read_all
from qms.results.naming import Names
from qms.results.reading import read_results
from tests.conftest import Office
from tests.effort import effort
from tests.qms.results.conftest import ONE, send

pytestmark = pytest.mark.verifies("TST-028")


def refused(deed: Callable[[], object]) -> str:
    with pytest.raises(Invalid) as caught:
        deed()
    (fault,) = caught.value.faults
    return f"{fault.code} {fault}"


def test_the_tags_of_a_feature_are_read_once_for_all_of_its_scenarios() -> None:
    content = json.dumps([{"tags": ["@a"] * 2_000, "elements": [{}] * 2_000}]).encode()

    assert effort(lambda: read_results(content, "a.json")) < 60


def test_what_fails_around_many_cases_is_held_against_them_once() -> None:
    inside = "<error/>" * 3_000 + '<testcase name="a"/>' * 3_000
    suite = f"<testsuite>{inside}</testsuite>"
    background = {"type": "background", "steps": [{"result": {"status": "passed"}}]}
    feature = {"elements": [*[background] * 20_000, {"name": "a", "steps": []}]}

    assert effort(lambda: read_results(suite.encode(), "a.xml")) < 60
    assert effort(lambda: read_results(json.dumps([feature]).encode(), "a.json")) < 60


def test_properties_around_many_unknown_elements_are_read_once() -> None:
    words = " ".join(f"w{n}" for n in range(3_000))
    around = f'<properties><property name="tag" value="{words}"/></properties>'
    content = f"<testsuite>{around}{'<x/>' * 3_000}<testcase name='a'/></testsuite>".encode()

    assert effort(lambda: read_results(content, "a.xml")) < 60


def test_elements_that_each_repeat_what_is_said_around_them_are_refused() -> None:
    words = " ".join(f"w{n}" for n in range(3_000))
    around = f'<properties><property name="tag" value="{words}"/></properties>'
    own = '<x><properties><property name="tag" value="a"/></properties></x>'
    content = f"<testsuite>{around}{own * 3_000}</testsuite>".encode()

    def read() -> str:
        return refused(lambda: read_results(content, "a.xml"))

    assert read() == (
        "TR602 a.xml:1: names records and files more than 300000 times in all. Split the report."
    )
    assert effort(read) < 60


def long_names() -> tuple[bytes, bytes]:
    name = "n" * 3_000
    suites = f'<testsuite name="{name}"><testsuite name="{name}">{{}}</testsuite></testsuite>'
    feature = {"name": name, "elements": [{"name": "a", "steps": []}] * 40}
    return suites.format('<testcase name="a"/>' * 40).encode(), json.dumps([feature]).encode()


def test_long_names_that_would_be_kept_with_each_of_many_cases_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for reader in ("junit", "cucumber"):
        monkeypatch.setattr(f"qms.results.{reader}.MOST_LETTERS", 100_000)
    xml, cucumber = long_names()

    assert refused(lambda: read_results(xml, "a.xml")).startswith(
        "TR602 a.xml:1: has names of more than 100000 characters in all its cases and suites."
    )
    assert refused(lambda: read_results(cucumber, "a.json")).startswith(
        "TR602 a.json: has names of more than 100000 characters in all its scenarios."
    )


def test_the_cases_of_a_suite_share_its_name() -> None:
    cases = read_results(long_names()[0], "a.xml").cases

    assert len({id(case.suite) for case in cases}) == 1


def test_reports_whose_names_are_too_long_together_are_refused_before_all_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qms.results.arriving.MOST_LETTERS", 400_000)
    sent = [Sent(f"{n}.xml", long_names()[0]) for n in range(3)]

    assert refused(lambda: read_all([*sent, Sent("bad.xml", b"no report")])).endswith(
        "or have names of more than 400000 characters; those after 1.xml were not read. "
        "Send fewer at once."
    )


def test_a_file_of_many_cases_is_written_once_and_before_anybody_has_to_wait(
    tested: Office, store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    put, held = BlobStore.put, service.hold_still

    def counted(self: BlobStore, source: bytes) -> StoredBlob:
        done.append("put")
        return put(self, source)

    monkeypatch.setattr(BlobStore, "put", counted)
    monkeypatch.setattr(service, "hold_still", lambda session: (done.append("held"), held(session)))
    out = "<system-out>[[ATTACHMENT|out/dvh.png]]</system-out>"
    cases = {f"case{n}": f"TST-001 {out}" for n in range(30)}

    kept = send(tested, store, ONE, Sent("dvh.png", b"picture"), **cases)

    assert (done, kept.findings) == (["put", "put", "held"], ())


def test_the_ids_that_were_meant_are_looked_up_and_not_searched_for(
    tested: Office, store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names("RPM", [f"REQ-{number:04d}" for number in range(10_000)])
    monkeypatch.setattr(service, "names_of", lambda *_: names)
    cases = {f"case{number}": f"REQ-{number:05d}" for number in range(10_000, 10_060)}
    kept: list[service.Kept] = []

    assert effort(lambda: kept.append(send(tested, store, ONE, **cases))) < 100
    assert [one.mend for one in kept[0].findings if one.uid][-1] == "Did you mean REQ-1005?"
