"""Packs whose every byte is signed by the right key, and whose members still contradict each other.

The maker's own key signs them again, as a faulty or dishonest server could.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.signing.envelopes import seal
from tests.validation.pack.synthetic import make_contents
from tests.validation.pack.tampering import read_members, sign_again
from tests.validation.verify.reading import RECORD
from validation.pack.build import build_pack
from validation.pack.container import measure
from validation.pack.manifest import MANIFEST, PACK_STATEMENT, STATEMENT_TYPE, member_json
from validation.verify.findings import Kind
from validation.verify.verification import verify_pack

RUN = "runs/14.json"


@pytest.fixture
def objections(pack, maker, key_file, tmp_path) -> Callable[..., dict[str, str]]:
    """Sign changed members again with the maker's key; return what is said of each."""

    def verify_changed(change: Callable[[dict[str, bytes]], None], **manifest) -> dict[str, str]:
        members = read_members(pack)
        change(members)
        signed = sign_again(members, maker, tmp_path / "signed.zip", **manifest)
        verdict = verify_pack(signed, [key_file])
        assert verdict.exit_code == 1
        assert verdict.trusted
        assert {finding.kind for finding in verdict.findings} == {Kind.CONTRADICTS}
        return {finding.member: finding.what for finding in verdict.findings}

    return verify_changed


def edit(path: str, change: Callable[[dict], None]) -> Callable[[dict[str, bytes]], None]:
    """Return a change of one JSON member."""

    def apply(members: dict[str, bytes]) -> None:
        value = json.loads(members[path])
        change(value)
        members[path] = member_json(value)

    return apply


def test_signing_the_unchanged_members_again_changes_nothing(pack, maker, key_file, tmp_path):
    again = sign_again(read_members(pack), maker, tmp_path / "again.zip")

    assert again.read_bytes() == pack.read_bytes()
    assert verify_pack(again, [key_file]).exit_code == 0


def test_an_edited_record_no_longer_has_its_digest(objections) -> None:
    said = objections(edit(RECORD, lambda record: record["content"].update(title="Other")))

    assert "its content has the digest" in said[RECORD]
    assert "its subjects are others" in said[PACK_STATEMENT]


def test_an_edited_reason_no_longer_has_its_envelope(objections) -> None:
    said = objections(edit(RECORD, lambda record: record["envelope"].update(reason="Other")))

    assert "its envelope has the digest" in said[RECORD]


def test_a_signature_taken_from_another_revision_is_named(objections) -> None:
    def transplant(record: dict) -> None:
        record["signatures"][0]["digest"] = "0" * 64

    assert "is over another revision" in objections(edit(RECORD, transplant))[RECORD]


def test_an_edited_baseline_no_longer_has_its_root(objections) -> None:
    said = objections(edit("baseline.json", lambda b: b["entries"][0].update(revision=3)))

    assert "baseline.json" in said


def test_a_record_left_out_is_missed_by_the_baseline(objections) -> None:
    said = objections(lambda members: members.pop(RECORD))

    assert "REQ-001 of RPM is frozen in it" in said["baseline.json"]


def test_an_edited_value_is_not_what_the_run_attested(objections) -> None:
    def better(run: dict) -> None:
        run["scenarios"][0]["steps"][2]["measurements"][0]["actual"] = 39.113

    said = objections(edit(RUN, better))

    assert "not what the members say" in said["attestations/run-14.dsse.json"]


def test_a_pass_over_a_failed_measurement_is_named(objections) -> None:
    def fail(run: dict) -> None:
        run["scenarios"][0]["steps"][2]["measurements"][0] |= {"actual": 60.0, "passed": False}

    assert "but a measurement failed" in objections(edit(RUN, fail))["runs/"]


def test_figures_that_do_not_give_their_verdict_are_named(objections) -> None:
    def far(run: dict) -> None:
        run["scenarios"][0]["steps"][2]["measurements"][0]["actual"] = 60.0

    assert "its own figures say otherwise" in objections(edit(RUN, far))["runs/"]


def test_an_attempt_left_out_is_missed_by_its_rerun(objections) -> None:
    def hide(members: dict[str, bytes]) -> None:
        del members["runs/13.json"], members["attestations/run-13.dsse.json"]

    assert "repeats run 13, which is not in the pack" in objections(hide)["runs/"]


def test_evidence_swapped_under_its_name_is_named(objections, pack) -> None:
    path = next(path for path in read_members(pack) if path.startswith("evidence/"))

    said = objections(lambda members: members.update({path: b"other"}))

    assert "its content is not the one that its name" in said[path]


def test_evidence_that_no_run_left_is_named(objections) -> None:
    path = f"evidence/{measure('x', b'x').sha256}"

    assert objections(lambda members: members.update({path: b"x"}))[path] == (
        "no run refers to this file."
    )


def test_the_pdf_of_another_pack_carries_another_attestation(objections, maker, tmp_path) -> None:
    contents, evidence = make_contents(2, 1)
    other = read_members(build_pack(contents, evidence, maker, tmp_path / "other.zip"))

    said = objections(lambda members: members.update({"pack.pdf": other["pack.pdf"]}))

    assert said == {
        "pack.pdf": "the attestation embedded in it is not attestations/pack.dsse.json."
    }


@pytest.mark.parametrize("printed", [b"%PDF-1.7 without any attachment", b""])
def test_a_pdf_without_the_attestation_is_named(objections, printed: bytes) -> None:
    assert set(objections(lambda members: members.update({"pack.pdf": printed}))) == {"pack.pdf"}


def test_an_attestation_signed_by_a_stranger_is_named(objections, pack, stranger) -> None:
    path = "attestations/run-14.dsse.json"
    payload = json.loads(read_members(pack)[path])["payload"]
    forged = seal(STATEMENT_TYPE, payload.encode(), [stranger]).to_bytes()

    said = objections(lambda members: members.update({path: forged}))

    assert said == {path: "it does not carry the signatures of the pack's signers."}


def test_a_run_without_attestation_and_an_attestation_without_run_are_named(objections) -> None:
    def rename(members: dict[str, bytes]) -> None:
        sealed = members.pop("attestations/run-14.dsse.json")
        members["attestations/run-99.dsse.json"] = sealed

    assert objections(rename) == {
        "attestations/run-14.dsse.json": "a run of the pack has no attestation.",
        "attestations/run-99.dsse.json": "it attests nothing that is in the pack.",
    }


def test_a_nicer_verdict_than_the_attested_one_is_named(objections) -> None:
    said = objections(edit("release.json", lambda r: r["cover"].update(verdict="For clinical use")))

    assert PACK_STATEMENT in said


def test_a_good_verdict_over_a_failing_rule_is_named(objections) -> None:
    def fail(release: dict) -> None:
        release["check"]["rules"][0]["findings"] = [{"record": "X", "what": "x", "mend": ""}]

    said = objections(edit("release.json", fail))

    assert said["release.json"] == "the cover says passed, but these rules fail: A01."


def test_a_manifest_about_another_version_is_named(objections) -> None:
    said = objections(lambda _: None, version="9.9.9", demonstration=False)

    assert set(said) == {MANIFEST}


def test_another_ledger_head_is_named(objections) -> None:
    said = objections(edit("ledger.json", lambda ledger: ledger["head"].update(number=1)))

    assert "not the one that the release states" in said["ledger.json"]


@pytest.mark.parametrize(
    "content",
    [b"[]", b"{}", b"null", b"{", b'{"content": 1}', b"[" * 100_000, b'{"a":1,"a":2}', b"\xff"],
)
@pytest.mark.parametrize("path", [RECORD, RUN, "release.json", "baseline.json", "ledger.json"])
def test_a_signed_member_of_another_form_is_refused_without_a_crash(
    objections, path: str, content: bytes
) -> None:
    assert objections(lambda members: members.update({path: content}))


def test_a_strangers_pack_without_contradiction_is_intact_but_unknown(
    stranger, tmp_path: Path
) -> None:
    contents, evidence = make_contents(1, 1)

    pack = build_pack(contents, evidence, stranger, tmp_path / "pack.zip")

    assert verify_pack(pack).exit_code == 2
