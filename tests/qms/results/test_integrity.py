"""Rows of imported results that somebody changes in the database are named."""

import pytest
from sqlalchemy import text

import core.ledger.routes
from core.blobs import BlobStore
from core.ledger.chain import head
from core.ports import evidence_worth
from core.records.audit import verify_installation
from qms.results.integrity import result_faults, results_worth
from qms.results.routes import router as pages
from tests.conftest import Office
from tests.qms.results.conftest import ONE, TWO, report, send

pytestmark = pytest.mark.verifies("TST-028")


def tampered(office: Office, statement: str) -> None:
    """Change rows as somebody does who can write to the database file."""
    with office.writing() as session:
        guards = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        for name in guards.scalars().all():
            session.execute(text(f'DROP TRIGGER "{name}"'))
        session.execute(text(statement))


def faults(office: Office, store: BlobStore) -> list[tuple[str, str]]:
    with office.reading() as session:
        found = result_faults(session, office.project(session), store)
    return [(one.where, one.what) for one in found]


def imported(office: Office, store: BlobStore) -> None:
    send(office, store, ONE, a="TST-001 <failure message='off by 2'/>", b="TST-002")
    send(office, store, TWO, a="TST-001")


@pytest.mark.parametrize(
    ("statement", "where", "what"),
    [
        ("UPDATE result_case SET outcome = 'passed'", "RPM results 1", "holds other cases"),
        ("UPDATE result_case SET label = 'b' WHERE ordinal = 0", "RPM results 1", "holds other"),
        ("DELETE FROM result_naming WHERE uid = 'TST-002'", "RPM results 1", "holds other cases"),
        ("UPDATE result_import SET rerun = 1 WHERE number = 2", "RPM results 2", "holds other"),
        (f"UPDATE result_import SET \"commit\" = '{ONE}'", "RPM results 2", "names another commit"),
        ("UPDATE result_report SET name = 'x.xml'", "RPM results 1", "names another commit"),
        (
            "UPDATE result_import SET number = 9 WHERE number = 2",
            "RPM results 9",
            "has rows but no",
        ),
    ],
)
def test_a_row_that_was_changed_is_named(
    tested: Office, store: BlobStore, statement: str, where: str, what: str
) -> None:
    imported(tested, store)
    assert faults(tested, store) == []

    tampered(tested, statement)

    found = dict(faults(tested, store))
    assert found[where].startswith(what)


def test_a_report_that_rotted_and_an_import_that_is_gone_are_named(
    tested: Office, store: BlobStore
) -> None:
    imported(tested, store)
    with tested.reading() as session:
        sha256 = session.execute(text("SELECT max(sha256) FROM result_report")).scalar_one()
        number = session.execute(
            text(f"SELECT import_id FROM result_report WHERE sha256 = '{sha256}'")
        ).scalar_one()
    store.path(sha256).chmod(0o600)
    store.path(sha256).write_bytes(b"<testsuite/>")

    [(where, what)] = faults(tested, store)
    assert (where, "altered on disk" in what) == (f"RPM results {number}", True)

    for table in ("naming", "case", "report", "import"):
        tampered(tested, f"DELETE FROM result_{table}")
    assert faults(tested, store) == [
        ("RPM results 1", "has an audit entry but no rows."),
        ("RPM results 2", "has an audit entry but no rows."),
    ]


def test_the_verification_of_everything_names_it_too(tested: Office, store: BlobStore) -> None:
    imported(tested, store)
    with tested.reading() as session:
        assert verify_installation(session, store).findings == []

    tampered(tested, "UPDATE result_case SET outcome = 'passed'")

    with tested.reading() as session:
        told = [str(one) for one in verify_installation(session, store).findings]
    assert any("RPM results 1" in one and "holds other cases" in one for one in told)


def test_the_page_verifies_no_more_results_than_it_can_wait_for(
    new_site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = new_site(pages, core.ledger.routes.router)
    browser = site.browser("PPL-DV", "developer")
    form = {"csrf_token": "csrf-PPL-DV", "commit": ONE}
    cases = report(a="TST-001", b="TST-002", c="TST-003")
    sent = browser.post("/p/RPM/results", data=form, files=[("reports", ("unit.xml", cases))])
    assert sent.status_code == 303
    with site.db.reading() as session:
        entries = head(session).seq
        assert evidence_worth(session) == 3

    def shown(limit: int) -> tuple[bool, bool]:
        """Return whether the page has verified, and whether it points elsewhere."""
        monkeypatch.setattr(core.ledger.routes, "MOST_VERIFIED_HERE", limit)
        text = browser.get("/p/RPM/audit?verify=true").text
        points = "fiducial audit verify</code> on the server; the worker does every night" in text
        return "are what the audit trail recorded" in text or " finding" in text, points

    assert shown(entries + 3) == (True, False)
    assert shown(entries + 2) == (False, True)
    assert shown(entries - 1) == (False, True)


def test_what_cases_name_and_the_size_of_reports_count_too(
    tested: Office, store: BlobStore
) -> None:
    named = {f"b{n}": f"TST-{n:03}" for n in range(1, 31)}
    send(tested, store, ONE, a=f"TST-001 <system-out>{'x' * 40_000}</system-out>")
    send(tested, store, TWO, a="TST-001", **named)

    # 32 cases name a record each, and more than 40,000 bytes of reports are hashed.
    with tested.reading() as session:
        assert results_worth(session) == 32 + 3 + 2
