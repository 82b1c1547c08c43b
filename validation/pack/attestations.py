"""What a pack attests: in-toto statements about its runs and about the whole.

A statement names its subjects by digest and says one thing about them. Each run has a test-result
statement in the public vocabulary; that one has no room for values, deviations or signatures, so
the pack's own statement stands beside it and covers every record, run and file of evidence.
Builder and verifier both call these functions: what is attested can be derived again.

References
----------
in-toto Attestation Framework, Statement v1 and Test Result v0.1,
https://github.com/in-toto/attestation
"""

from collections.abc import Iterable, Mapping
from typing import Any

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VALIDATION_PACK = "urn:fiducial:attestation:validation-pack:v1"

Json = Mapping[str, Any]


def run_statement(path: str, sha256: str, run: Json) -> dict[str, Any]:
    """Return the test-result statement about one run, given its member of the pack."""
    subjects = [_subject(path, sha256)]
    if run["commit"]:
        subjects.append({"name": f"source at {run['tag']}", "digest": {"gitCommit": run["commit"]}})
    configuration = [
        _subject(f"protocol {run['protocol']}", run["protocol_digest"]),
        _subject("engine", run["engine_digest"]),
        *(_subject(f"data set {item['label']}", item["value"]) for item in run["data_sets"]),
    ]
    return _statement(
        TEST_RESULT,
        subjects,
        {
            "result": "PASSED" if run["state"] == "passed" else "FAILED",
            "configuration": configuration,
            "passedTests": _tests(run, "passed"),
            "warnedTests": [],
            "failedTests": _tests(run, "failed"),
        },
    )


def pack_statement(
    subjects: Iterable[tuple[str, str]], release: Json, runs: Iterable[Json]
) -> dict[str, Any]:
    """Return the statement about the whole pack.

    Parameters
    ----------
    subjects : iterable of (path, SHA-256)
        Every member but the PDF, which carries this statement, and the other attestations.
    release : mapping
        The member ``release.json``.
    runs : iterable of mappings
        The members ``runs/*.json``.
    """
    cover, check = release["cover"], release["check"]
    return _statement(
        VALIDATION_PACK,
        [_subject(path, sha256) for path, sha256 in sorted(subjects)],
        {
            "product": cover["product"],
            "project": cover["project"],
            "version": cover["version"],
            "document": cover["document"],
            "demonstration": cover["demonstration"],
            "frozenAt": cover["frozen_at"],
            "source": {"tag": cover["tag"], "digest": {"gitCommit": cover["commit"]}},
            "verdict": {"passed": cover["passed"], "words": cover["verdict"]},
            "releaseCheck": _check_summary(check),
            "baseline": {"name": release["baseline"]["name"], "root": release["baseline"]["root"]},
            "ledgerHead": release["ledger_head"],
            "runs": [
                {
                    "number": run["number"],
                    "protocol": run["protocol"],
                    "result": run["state"],
                    "commit": run["commit"],
                    "predecessor": run["predecessor"],
                    "passedTests": _tests(run, "passed"),
                    "failedTests": _tests(run, "failed"),
                }
                for run in sorted(runs, key=lambda run: str(run["number"]))
            ],
            "testsNotRun": [item["uid"] for item in release["not_run"]],
            "deviations": [item["uid"] for item in release["deviations"]],
            "knownAnomalies": [item["uid"] for item in release["anomalies"]],
            "signatures": release["signatures"],
        },
    )


def _statement(kind: str, subjects: list[dict[str, Any]], predicate: Json) -> dict[str, Any]:
    return {
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": kind,
        "predicate": dict(predicate),
    }


def _subject(name: str, sha256: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}}


def _tests(run: Json, state: str) -> list[str]:
    # A scenario of a numerical comparison belongs to no test and goes by its title.
    return sorted(
        {item["test"] or item["title"] for item in run["scenarios"] if item["state"] == state}
    )


def _check_summary(check: Json) -> dict[str, Any]:
    rules = check["rules"]
    failing = [r["code"] for r in rules if r["findings"] and r["level"] == "error"]
    warning = [r["code"] for r in rules if r["findings"] and r["level"] == "warning"]
    conceded = sorted({waiver["uid"] for r in rules for waiver in r["waivers"]})
    return {
        "name": check["name"],
        "checkedAt": check["checked_at"],
        "rules": len(rules),
        "failing": failing,
        "warning": warning,
        "concessions": conceded,
    }
