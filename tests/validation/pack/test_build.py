"""Building a pack: the same bytes from the same contents, and nothing from faulty ones."""

import base64
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from core.canonical import canonical_json, digest
from core.errors import Invalid
from core.signing.envelopes import pre_authentication
from core.signing.keys import SigningKey
from tests.validation.pack.synthetic import make_contents
from tests.validation.pack.tampering import read_members
from validation.pack.build import STEPS, build_pack
from validation.pack.contents import contents_from_json, contents_to_json
from validation.verify.verification import verify_pack

pytestmark = pytest.mark.verifies("TST-023")


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(scope="module")
def pack(key, tmp_path_factory) -> Path:
    contents, evidence = make_contents(2, 2)
    return build_pack(contents, evidence, key, tmp_path_factory.mktemp("pack") / "pack.zip")


@pytest.fixture(scope="module")
def members(pack) -> dict[str, bytes]:
    return read_members(pack)


def test_the_same_contents_give_the_same_bytes(pack, key, tmp_path) -> None:
    contents, evidence = make_contents(2, 2)

    again = build_pack(contents, evidence, key, tmp_path / "again.zip")

    assert again.read_bytes() == pack.read_bytes()


def test_another_process_at_another_time_and_place_gives_the_same_bytes(tmp_path) -> None:
    """Hash seeds, time zones, locales and file times differ; the pack does not."""
    program = (
        "import sys; from pathlib import Path;"
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Key;"
        "from core.signing.keys import SigningKey;"
        "from tests.validation.pack.synthetic import make_contents;"
        "from validation.pack.build import build_pack;"
        "build_pack(*make_contents(1, 1), SigningKey(Key.from_private_bytes(bytes(32))),"
        "Path(sys.argv[1]))"
    )
    for name, seed, zone in (("a", "1", "UTC"), ("b", "2", "Asia/Tokyo")):
        subprocess.run(  # noqa: S603 (our own interpreter, a fixed program)
            [sys.executable, "-c", program, str(tmp_path / name)],
            check=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": "."},
        )

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_contents_kept_as_json_build_the_same_pack(pack, key, tmp_path) -> None:
    contents, evidence = make_contents(2, 2)
    kept = canonical_json(contents_to_json(contents))

    restored = contents_from_json(json.loads(kept))

    assert restored == contents_from_json(contents_to_json(contents))
    built = build_pack(restored, evidence, key, tmp_path / "restored.zip")
    assert built.read_bytes() == pack.read_bytes()


def test_another_key_changes_only_what_names_the_key(pack, members, tmp_path) -> None:
    contents, evidence = make_contents(2, 2)

    other = read_members(
        build_pack(contents, evidence, SigningKey.generate(), tmp_path / "other.zip")
    )

    changed = {path for path in members if members[path] != other[path]}
    assert {path.partition("/")[0] for path in changed} == {
        "README.txt", "attestations", "manifest.dsse.json", "manifest.json", "pack.pdf",
    }  # fmt: skip


def test_any_zip_program_can_open_it(pack, members) -> None:
    with zipfile.ZipFile(pack) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {
        "README.txt", "attestations/pack.dsse.json", "attestations/run-13.dsse.json",
        "attestations/run-14.dsse.json", "baseline.json", "ledger.json", "manifest.dsse.json",
        "manifest.json", "pack.pdf", "records/RPM/REQ-001.json", "release.json", "runs/13.json",
        "runs/14.json", "sbom.cdx.json",
    } <= set(members)  # fmt: skip


def test_the_manifest_lists_every_other_member_by_its_digest(members) -> None:
    listed = json.loads(members["manifest.json"])["members"]

    assert {item["path"]: (item["size"], item["sha256"]) for item in listed} == {
        path: (len(data), sha256(data).hexdigest())
        for path, data in members.items()
        if path not in ("manifest.json", "manifest.dsse.json")
    }


def test_records_carry_what_their_digests_are_over(members) -> None:
    record = json.loads(members["records/RPM/REQ-001.json"])

    assert digest(record["content"]) == record["content_digest"]
    assert digest(record["envelope"]) == record["envelope_digest"]


def test_evidence_stands_under_its_sha_256(members) -> None:
    files = {path: data for path, data in members.items() if path.startswith("evidence/")}

    assert len(files) == 4 + 5
    assert all(path == f"evidence/{sha256(data).hexdigest()}" for path, data in files.items())


def test_the_statement_is_in_toto_and_covers_all_but_pdf_and_readme(members) -> None:
    envelope = json.loads(members["attestations/pack.dsse.json"])
    statement = json.loads(base64.b64decode(envelope["payload"]))

    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {item["name"] for item in statement["subject"]} == {
        path
        for path in members
        if not path.startswith(("attestations/", "manifest", "pack.pdf", "README"))
    }
    assert statement["predicate"]["releaseCheck"]["warning"] == ["A13"]
    assert statement["predicate"]["testsNotRun"] == ["TST-901"]


def test_a_run_is_attested_in_the_public_vocabulary(members) -> None:
    for number, result in (("13", "FAILED"), ("14", "PASSED")):
        envelope = json.loads(members[f"attestations/run-{number}.dsse.json"])
        statement = json.loads(base64.b64decode(envelope["payload"]))

        assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
        assert statement["predicate"]["result"] == result
    assert statement["predicate"]["passedTests"] == ["TST-001", "TST-002"]


def test_openssl_alone_can_verify_the_manifest(members, key, tmp_path) -> None:
    """Nobody has to trust our verifier: the envelope is DSSE and the signature plain Ed25519."""
    envelope = json.loads(members["manifest.dsse.json"])
    payload = base64.b64decode(envelope["payload"])
    (tmp_path / "key.pem").write_bytes(key.public.to_pem())
    (tmp_path / "signed").write_bytes(pre_authentication(envelope["payloadType"], payload))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))

    said = subprocess.run(
        ["/usr/bin/openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin",
         "-in", "signed", "-sigfile", "sig"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert "Signature Verified Successfully" in said
    assert payload == members["manifest.json"]


def test_several_people_may_sign(tmp_path) -> None:
    contents, evidence = make_contents(1, 1)
    keys = [SigningKey.generate(), SigningKey.generate()]
    (tmp_path / "second.pem").write_bytes(keys[1].public.to_pem())

    pack = build_pack(contents, evidence, keys, tmp_path / "pack.zip")

    verdict = verify_pack(pack, [tmp_path / "second.pem"])
    assert verdict.exit_code == 0
    assert set(verdict.signers) == {key.fingerprint for key in keys}


def test_evidence_may_be_given_as_files(pack, key, tmp_path) -> None:
    contents, evidence = make_contents(2, 2)
    files = {name: tmp_path / name for name in evidence}
    for name, data in evidence.items():
        files[name].write_bytes(data)

    assert build_pack(contents, files, key, tmp_path / "p.zip").read_bytes() == pack.read_bytes()


def test_progress_is_told_before_each_step(key, tmp_path) -> None:
    told = []
    contents, evidence = make_contents(1, 1)

    build_pack(contents, evidence, key, tmp_path / "p.zip", lambda *step: told.append(step))

    assert told == [(number, len(STEPS), text) for number, text in enumerate(STEPS)]


def test_every_fault_is_named_at_once_and_nothing_is_written(key, tmp_path) -> None:
    contents, evidence = make_contents(2, 2)
    missing, swapped = sorted(evidence)[:2]
    del evidence[missing]
    evidence[swapped] = b"other bytes"
    evidence["f" * 64] = b"unknown"
    record = contents.records[1]
    edited = replace(record, content={**record.content, "title": "Edited"})
    faulty = replace(
        contents,
        records=(contents.records[0], edited, *contents.records[2:-1]),
        baseline=replace(contents.baseline, root="0" * 64),
        runs=contents.runs[1:],
    )

    with pytest.raises(Invalid) as refusal:
        build_pack(faulty, evidence, key, tmp_path / "p.zip")

    said = [str(fault) for fault in refusal.value.faults]
    for part in (
        "REQ-001: its content has the digest", "do not have the root digest",
        "TST-002 of RPM is frozen in it", "run 14 repeats run 13, which is not in the pack",
        "is recorded by a run, but its file is missing", "holds other bytes",
        "is a file that no run refers to",
    ):  # fmt: skip
        assert [line for line in said if part in line], part
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_is_broken_off_leaves_the_old_pack(pack, key, tmp_path) -> None:
    contents, evidence = make_contents(1, 1)
    target = tmp_path / "pack.zip"
    target.write_bytes(b"the old pack")
    gone = tmp_path / "gone"
    name = next(iter(evidence))
    gone.write_bytes(evidence[name])

    def remove_evidence(done: int, _total: int, _text: str) -> None:
        if done == len(STEPS) - 1:
            gone.unlink()

    with pytest.raises(FileNotFoundError):
        build_pack(contents, {**evidence, name: gone}, key, target, remove_evidence)

    assert target.read_bytes() == b"the old pack"
    assert list(tmp_path.iterdir()) == [target]


def test_names_that_differ_only_in_case_have_paths_of_their_own(key, tmp_path) -> None:
    contents, evidence = make_contents(1, 1)
    record = contents.records[0]
    for uid in ("EPR", "Epr", "CON"):
        content = {**record.content, "uid": uid}
        envelope = {**record.envelope, "content_digest": digest(content)}
        contents = replace(
            contents,
            records=(
                *contents.records,
                replace(
                    record, uid=uid, content=content, content_digest=digest(content),
                    envelope=envelope, envelope_digest=digest(envelope), signatures=(),
                ),
            ),
        )  # fmt: skip

    pack = build_pack(contents, evidence, key, tmp_path / "p.zip")

    paths = [path for path in read_members(pack) if path.startswith("records/")]
    assert len({path.casefold() for path in paths}) == len(contents.records)
    assert verify_pack(pack).exit_code == 2


def test_the_members_are_written_for_people_and_digested_for_machines(members) -> None:
    for path, data in members.items():
        if path.endswith(".json") and not path.endswith("dsse.json"):
            assert data.startswith(b"{\n "), path
            assert canonical_json(json.loads(data))
