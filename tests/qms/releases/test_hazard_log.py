"""A risk lowered without a control, and a safety case without its hazard log, as people try it.

Lower a residual risk without controls, or leave a level-3 risk without benefit-risk: not
approvable. Only the clinical safety officer signs the issue of the hazard log, and the safety case
is not issued without it. What is issued stays as it is.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlmodel import Session

from core.errors import Invalid, Refused
from core.people.models import Person
from core.people.service import Reauthentication, actor_of, grant
from core.records import approval
from core.records.approval import Signing
from core.records.content import Content, LinkDraft
from core.records.models import Record, Revision
from core.records.service import (
    create_project,
    create_record,
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from core.web.pages import environment
from qms.releases.service import release_check
from qms.risks.annexes import hazard_log
from qms.risks.issuing import changed_since, issue_of, take_as_read
from qms.risks.service import risk_file
from qms.submission import approval_obstacles, submission_faults

SECTION = {
    "hazard": "Incorrect information",
    "sequence": ["a figure is wrong"],
    "situation": "the figure is relied on",
    "harm": "late rectal injury",
    "severity": 4,
    "likelihood_before": 4,
    "likelihood_after": 1,
    "new_risks": "none",
}


@pytest.fixture(autouse=True)
def asked(monkeypatch) -> None:
    monkeypatch.setattr(approval.ports, "submission", submission_faults)
    monkeypatch.setattr(approval.ports, "gate", approval_obstacles)


@pytest.fixture
def writing(device) -> Iterator[Session]:
    """Write, and keep nothing of it."""
    with device.db.writing() as session:
        yield session
        session.rollback()


def write(session, device, type_name: str, content: Content) -> Record:
    project = find_project(session, "RPM")
    return create_record(session, project, type_name, content, device.person("PPL-AK"))


def submit(session, device, record: Record) -> None:
    author = device.person("PPL-AK")
    token = edit_token(latest_revision(session, record))
    approval.submit(session, record, author, Reauthentication(author.person_id), token)


def sign(session, device, record: Record, uid: str, role: str) -> None:
    signer = device.person(uid)
    token = edit_token(latest_revision(session, record))
    proof = Reauthentication(signer.person_id)
    approval.sign(session, record, Signing("approved", role), signer, proof, token)


def approved(session, device, uid: str) -> None:
    device.approve(session, find_project(session, "RPM"), uid)


def relink(session, device, uid: str, *links: LinkDraft, without: str = "") -> Record:
    """Propose other links of a record."""
    record = find_record(session, find_project(session, "RPM"), uid)
    content = read_content(session, record)
    kept = [link for link in content.links if link.role != without]
    token = edit_token(latest_revision(session, record))
    changed = replace(content, body=f"{content.body} Again.", links=(*kept, *links))
    save_draft(session, record, changed, device.person("PPL-AK"), token)
    return record


def refused(session, device, record: Record) -> str:
    with pytest.raises(Invalid) as refusal:
        submit(session, device, record)
    return " ".join(f"{fault.code} {fault}" for fault in refusal.value.faults)


def test_a_risk_lowered_without_a_control_is_not_submitted(device, writing) -> None:
    risk = write(writing, device, "risk", Content("A figure is wrong", "", SECTION))

    told = refused(writing, device, risk)

    assert "D03" in told
    assert "falls in likelihood from 4 to 1, and no requirement in force controls it" in told


def test_a_control_counts_from_its_approval_on(device, writing) -> None:
    risk = write(writing, device, "risk", Content("A figure is wrong", "", SECTION))
    links = (
        LinkDraft("mitigates", risk.uid, None, {"kind": "protective"}),
        LinkDraft("derives_from", "UN-002"),
        LinkDraft("allocated_to", "SI-05"),
    )
    told = {"category": "functional", "acceptance": "Each figure of the phantom is right."}
    body = "The service shall withhold a figure that two ways of computing it do not agree on."
    control = write(writing, device, "requirement", Content("Two ways agree", body, told, links))
    assert "D03" in refused(writing, device, risk)

    approved(writing, device, control.uid)
    approved(writing, device, risk.uid)

    [assessment] = [
        one
        for one in risk_file(writing, "RPM", "REL-0.1.0").assessments
        if one.risk.uid == risk.uid
    ]
    assert (assessment.claimed.number, assessment.after.number) == (2, 4)
    assert "D09" in {rule.code for rule in release_check(writing, "RPM", "REL-0.1.0").failing}


def test_a_risk_at_level_3_without_benefit_risk_is_not_submitted(device, writing) -> None:
    fields = {**SECTION, "likelihood_before": 3, "likelihood_after": 3}
    risk = write(writing, device, "risk", Content("A figure is wrong", "", fields))

    told = refused(writing, device, risk)

    assert f"D10 {risk.uid}: remains at level 3 without a benefit-risk analysis." in told


@pytest.mark.parametrize(
    ("uid", "role"),
    [
        ("PPL-EQ", "quality_manager"),
        ("PPL-CV", "technical_reviewer"),
        ("PPL-NV", "top_management"),
        ("PPL-EQ", "clinical_safety_officer"),
        ("PPL-AK", "clinical_safety_officer"),
    ],
)
def test_only_the_clinical_safety_officer_signs_an_issue(device, writing, uid, role) -> None:
    issue = relink(writing, device, "DOC-HZL")
    submit(writing, device, issue)

    with pytest.raises(Refused):
        sign(writing, device, issue, uid, role)

    sign(writing, device, issue, "PPL-DM", "clinical_safety_officer")
    assert latest_revision(writing, issue).state == "approved"


def test_an_issue_without_its_hazards_is_not_submitted(device, writing) -> None:
    fields = {"reason": "Next issue."}
    issue = write(writing, device, "hazard_log", Content("Hazard log", "", fields))

    assert "Hazards as they stood is empty" in refused(writing, device, issue)


def test_an_issue_is_neither_submitted_nor_signed_once_a_risk_changed(device, writing) -> None:
    project = find_project(writing, "RPM")
    issue = relink(writing, device, "DOC-HZL")
    device.change(writing, project, "RSK-003", harm="inappropriate plan accepted by two people")
    approved(writing, device, "RSK-003")

    told = refused(writing, device, issue)
    assert "DOC-HZL: no longer says what the risk file says: RSK-003 changed since." in told
    assert changed_since(writing, project, issue) == ["RSK-003"]

    take_as_read(writing, issue, device.person("PPL-AK"))
    submit(writing, device, issue)
    device.change(writing, project, "RSK-005", harm="late rectal injury, not found in time")
    approved(writing, device, "RSK-005")
    with pytest.raises(Refused) as refusal:
        sign(writing, device, issue, "PPL-DM", "clinical_safety_officer")
    assert "RSK-005 changed since" in str(refusal.value)


def test_an_issue_is_for_a_release_of_its_own_project(device, writing) -> None:
    other = create_project(writing, "OTHER", "Another device", None)
    author = device.person("PPL-AK")
    grant(writing, writing.get_one(Person, author.person_id), ["author"], None, other.id)
    there = actor_of(writing, writing.get_one(Person, author.person_id))
    theirs = create_record(writing, other, "release", Content("Theirs"), there)
    foreign = LinkDraft("issued_for", theirs.uid, "OTHER")
    issue = relink(writing, device, "DOC-HZL", foreign, without="issued_for")

    told = refused(writing, device, issue)
    assert f"is issued for {theirs.uid}, a release of another project" in told
    with pytest.raises(Invalid, match="not taken"):
        take_as_read(writing, issue, author)


def test_hazards_typed_by_hand_are_refused(device, writing) -> None:
    issue = relink(writing, device, "DOC-HZL")
    content = read_content(writing, issue)
    first, *rest = content.fields["hazards"]
    fields = {**content.fields, "hazards": [{**first, "level": 1}, *rest]}
    token = edit_token(latest_revision(writing, issue))
    save_draft(writing, issue, replace(content, fields=fields), device.person("PPL-AK"), token)

    assert "RSK-001 changed since" in refused(writing, device, issue)


def test_a_safety_case_without_an_issue_is_not_submitted(device, writing) -> None:
    case = relink(writing, device, "DOC-CSCR", without="accompanied_by")

    assert "there is no link 'accompanied by'" in refused(writing, device, case)


def test_a_safety_case_with_an_issue_that_nobody_signed_is_not_submitted(device, writing) -> None:
    draft = write(writing, device, "hazard_log", Content("Hazard log", "", {"reason": "Next."}))
    named = LinkDraft("accompanied_by", draft.uid)
    case = relink(writing, device, "DOC-CSCR", named, without="accompanied_by")

    told = refused(writing, device, case)

    assert f"rests on {draft.uid}, an issue of the hazard log that is not in force" in told


def test_a_safety_case_needs_the_issue_for_its_own_release(device, writing) -> None:
    other = LinkDraft("argues_for", "REL-1.0.0")
    case = relink(writing, device, "DOC-CSCR", other, without="argues_for")

    told = refused(writing, device, case)

    assert "argues for REL-1.0.0 and rests on DOC-HZL, which was issued for REL-0.1.0" in told


def test_what_was_issued_is_printed_the_same_for_ever(device, writing) -> None:
    project = find_project(writing, "RPM")
    case = find_record(writing, project, "DOC-CSCR")
    before = printed(writing, project, case)
    assert "RSK-013" in before
    assert "DOC-HZL revision 1" in before

    device.change(writing, project, "RSK-003", harm="something else", likelihood_before=2)
    approved(writing, device, "RSK-003")
    issue = find_record(writing, project, "DOC-HZL")
    take_as_read(writing, issue, device.person("PPL-AK"))
    approved_at = writing.get_one(Revision, case.effective_id).approved_at
    approved(writing, device, "DOC-HZL")

    assert latest_revision(writing, issue).approved_at >= approved_at
    assert issue_of(writing, project, issue).revision.number == 2
    assert printed(writing, project, case) == before


def printed(session, project, record: Record) -> str:
    annex = hazard_log(session, project, record)
    assert annex is not None
    html = environment().get_template(annex.template).render(context=annex.context)
    return " ".join(html.split())


def test_a_risk_that_changed_after_the_issue_stops_the_release(device, writing) -> None:
    project = find_project(writing, "RPM")
    device.change(writing, project, "RSK-003", harm="something else")
    approved(writing, device, "RSK-003")

    [rule] = [one for one in release_check(writing, project, "0.1.0").rules if one.code == "D16"]

    [finding] = rule.findings
    assert "DOC-HZL, which holds RSK-003 as of revision 1, in force is 2" in finding.sentence


def test_the_overall_residual_risk_is_reviewed_by_officer_and_top_management(
    device, writing
) -> None:
    review = relink(writing, device, "DOC-RMR")
    submit(writing, device, review)
    signer = device.person("PPL-DM")
    token = edit_token(latest_revision(writing, review))
    proof = Reauthentication(signer.person_id)
    signing = Signing("reviewed", "clinical_safety_officer")
    approval.sign(writing, review, signing, signer, proof, token)

    with pytest.raises(Refused):
        sign(writing, device, review, "PPL-EQ", "quality_manager")
    sign(writing, device, review, "PPL-NV", "top_management")

    assert latest_revision(writing, review).state == "approved"


def test_an_answer_to_a_question_that_nobody_asks_is_not_submitted(device, writing) -> None:
    said = {"question": "J99", "answer": "Yes.", "considered_on": "2026-11-20"}
    answer = write(writing, device, "judgement", Content("An answer", "", said))

    assert "answers J99, which is no question that is asked here" in refused(
        writing, device, answer
    )
