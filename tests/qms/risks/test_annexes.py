"""The hazard log behind a safety case: the issue that it rests on, as it was frozen."""

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


def test_a_requirement_carries_no_hazard_log(new_site) -> None:
    assert drawn(new_site(), "REQ-001") == ("", "")


def test_a_safety_case_whose_issue_nobody_signed_says_so(new_site) -> None:
    title, html = drawn(new_site(), "DOC-CSCR")

    assert title == "Annex: hazard log"
    assert "names no issue of the hazard log that is in force" in html
