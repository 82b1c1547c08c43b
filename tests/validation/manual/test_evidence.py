"""A run by hand where runs are read: rules, packs, the offline verifier."""

import re
from dataclasses import asdict, replace

import pytest
from sqlalchemy import text

from core.canonical import canonical_json, plain, read_json
from core.errors import Invalid
from core.signing.keys import SigningKey
from tests.validation.pack.synthetic import make_contents
from validation.pack.build import build_pack
from validation.pack.claims import run_faults
from validation.pack.pages import pack_html
from validation.runs.facts import facts_of, runs_of_tests
from validation.runs.integrity import run_faults as stored_faults
from validation.runs.packing import evidence_files, pack_deviations, pack_run
from validation.runs.plain import run_as_plain
from validation.verify.findings import ExitCode
from validation.verify.verification import verify_pack


def signed(bench, measured: str = "2.01") -> dict:
    number = bench.begin()
    bench.record_all(number, measured)
    bench.sign(number)
    return bench.department.look(number, run_as_plain)


def packed(bench, run: dict) -> dict:
    sizes = {sha256: bench.store.path(sha256).stat().st_size for sha256 in evidence_files(run)}
    return read_json(canonical_json(plain(asdict(pack_run(run, sizes=sizes)))))


def test_the_rules_see_who_did_it_with_what_and_who_signed(bench) -> None:
    run = signed(bench, "3")

    [fact] = facts_of(run)

    assert (fact.test, fact.outcome, fact.by_hand) == ("TST-003", "failed", True)
    assert (fact.tester, fact.signed_by) == ("PPL-FR", ("PPL-FR",))
    assert fact.tools == ("Firefox 128", "Ruler, serial 44")
    assert fact.environment == run["environment_digest"]
    assert (fact.version, fact.test_revision) == ("v0.1.0", 1)
    [measured] = fact.measured
    assert (measured.expected, measured.tolerance, measured.actual) == ("2.0", "0.02", "3.0")
    assert fact.anomalies == "A report is read: failed"
    assert fact.files[0] == run["scenarios"][0]["evidence_sha256"]


def test_a_run_that_waits_for_its_signature_is_no_result(bench) -> None:
    bench.begin()

    with bench.department.db.reading() as session:
        [fact] = runs_of_tests(session, "RPM")

    assert (fact.outcome, fact.by_hand, fact.signed_by) == ("interrupted", True, ())


def test_a_run_given_up_is_no_result_and_stays_in_the_pack(bench) -> None:
    number = bench.begin()
    bench.give_up(number)
    run = bench.department.look(number, run_as_plain)

    with bench.department.db.reading() as session:
        assert runs_of_tests(session, "RPM") == []
    assert packed(bench, run)["state"] == "interrupted"
    [told] = pack_deviations(run)
    assert (told.effect, told.decided_by) == ("Nothing of it counts.", "Farid Rowe")
    assert run_faults([packed(bench, run)]) == []


def test_the_pack_shows_the_signature_and_what_was_observed(bench) -> None:
    run = packed(bench, signed(bench))

    [signature] = run["signatures"]
    assert (signature["name"], signature["meaning"], signature["role"]) == (
        "Farid Rowe",
        "executed",
        "validation tester",
    )
    assert run["protocol_approved"].startswith("1 tests approved by Esther Quill")
    labels = [(fact["label"], fact["value"]) for fact in run["environment"]]
    assert labels[:2] == [("Executed by hand at", "Ward 3"), ("On", "PC 12")]
    [scenario] = run["scenarios"]
    assert scenario["steps"][0]["inputs"] == [{"name": "observed", "value": "As written."}]
    assert run_faults([run]) == []


def test_the_verifier_finds_a_run_by_hand_that_was_changed_or_not_signed(bench) -> None:
    run = packed(bench, signed(bench))

    unsigned = run_faults([{**run, "signatures": []}])
    moved = run_faults([{**run, "commit": "a" * 40}])
    [scenario] = run["scenarios"]
    other = {**scenario, "files": [{**one, "sha256": "b" * 64} for one in scenario["files"]]}
    replaced = run_faults([{**run, "scenarios": [other]}])

    assert unsigned == ["run 1 was executed by hand, and nobody signed it."]
    assert moved == replaced == ["the signature of Farid Rowe in run 1 is over another execution."]


def test_the_printed_pack_shows_it_step_by_step_with_the_signature(bench) -> None:
    number = bench.begin()
    bench.record_all(number, "2.30")
    bench.record(number, 2, measured="2.00", observed="Read on the right page.")
    bench.sign(number)
    run = bench.department.look(number, run_as_plain)
    contents = make_contents(2, 1)[0]
    sizes = dict.fromkeys(evidence_files(run), 1)

    page = pack_html(replace(contents, runs=(pack_run(run, sizes=sizes),)), "9c" * 32, [])

    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Run 1: manual, passed" in words
    assert "Executed by hand at Ward 3" in words
    assert "observed = Read on the right page.; corrected = " in words
    assert "Farid Rowe validation tester executed" in words
    assert (
        "engine"
        not in words[words.index("Source v0.1.0, commit") : words.index("Executed by hand")]
    )


def test_a_signature_that_was_changed_or_taken_away_is_found(bench) -> None:
    signed(bench)
    bench.record_all(bench.begin(reason="Once more."))

    def faults(statement: str = "") -> list[str]:
        with bench.department.db.engine.begin() as connection:
            for name in list(
                connection.execute(
                    text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                ).scalars()
            ):
                connection.execute(text(f'DROP TRIGGER "{name}"'))
            if statement:
                connection.execute(text(statement))
        with bench.department.db.reading() as session:
            return [one.what for one in stored_faults(session, bench.store)]

    assert faults() == []
    moved = faults("UPDATE validation_run SET tag = 'v9' WHERE number = 1")
    assert moved == ["is signed by PPL-FR over another execution."]
    gone = faults("DELETE FROM validation_run_event WHERE kind = 'signed'")
    assert gone == ["was executed by hand and nobody signed it."]


def test_a_pack_with_a_run_by_hand_verifies_and_one_with_a_moved_signature_does_not(
    bench, tmp_path
) -> None:
    run = signed(bench)
    evidence = {sha256: bench.store.path(sha256) for sha256 in evidence_files(run)}
    sizes = {sha256: path.stat().st_size for sha256, path in evidence.items()}
    by_hand = pack_run(run, sizes=sizes)
    contents = replace(make_contents(1, 1)[0], runs=(by_hand,))
    key, public = SigningKey.generate(), tmp_path / "maker.pem"
    public.write_bytes(key.public.to_pem())

    pack = build_pack(contents, evidence, key, tmp_path / "pack.zip")

    assert verify_pack(pack, [public]).exit_code is ExitCode.INTACT_AND_TRUSTED
    moved = replace(contents, runs=(replace(by_hand, number="7"),))
    with pytest.raises(Invalid) as refusal:
        build_pack(moved, evidence, key, tmp_path / "moved.zip")
    assert [fault.what for fault in refusal.value.faults] == [
        "the signature of Farid Rowe in run 7 is over another execution."
    ]
