"""The hazard log behind a safety case: the risks and controls as the record has them now."""

from core.records.service import find_project, find_record
from core.web.pages import environment
from qms.risks.annexes import hazard_log


def drawn(site, uid: str) -> tuple[str, str]:
    with site.db.reading() as session:
        project = find_project(session, "RPM")
        record = find_record(session, project, uid)
        annex = hazard_log(session, project, record)
        if annex is None:
            return "", ""
        html = environment().get_template(annex.template).render(context=annex.context)
    return annex.title, " ".join(html.split())


def test_a_safety_case_carries_every_hazard_of_the_release_it_argues_for(new_site) -> None:
    site = new_site()

    title, html = drawn(site, "DOC-CSCR")

    assert title == "Annex: hazard log"
    assert "13 hazards under" in html
    assert "verified by the tests of REL-0.1.0" in html
    for number in range(1, 14):
        assert f"RSK-{number:03d}" in html
    assert "not verified" in html


def test_a_requirement_carries_no_hazard_log(new_site) -> None:
    assert drawn(new_site(), "REQ-001") == ("", "")
