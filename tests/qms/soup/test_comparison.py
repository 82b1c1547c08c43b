"""Every kind of drift, seeded in our own lock file or register, is listed with what it touches."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from qms.soup.comparison import Code, same_version, what_it_cannot_tell
from qms.soup.components import Bill, Component, Source
from tests.qms.soup.conftest import HELD, TODAY, read

pytestmark = pytest.mark.verifies("TST-013")


def only(result, code: Code):
    """Return the one disagreement there is, which must be of a kind."""
    assert [one.code for one in result.disagreements] == [code]
    return result.disagreements[0]


def test_nothing_is_found_where_nothing_was_seeded(register, lock_text) -> None:
    result = register.compare(read(lock_text))

    assert [one.sentence for one in result.disagreements] == []
    assert result.agrees
    assert (result.agreeing, len(result.development) > 10) == (34, True)
    along = {one.component.name: one.brought_by for one in result.along}
    assert along["pydantic-core"] == ("pydantic",)
    assert "anyio" in along
    assert "ruff" not in along


def test_every_seeded_drift_is_listed_at_once_in_less_than_five_seconds(
    register, lock_text
) -> None:
    """Thirteen faults, two of each kind that can be, in one comparison of the whole lock file."""
    text = re.sub(r"^numpy==2\.4\.6", "numpy==2.4.7", lock_text, flags=re.MULTILINE)
    text = re.sub(r"^shapely==\S+", "shapely==2.3.0", text, flags=re.MULTILINE)
    text = re.sub(r"\btyper\b", "typer-next", text)
    text += "left-pad==1.3.0\n    # via fiducial (pyproject.toml)\n"
    for name in ("rich", "nh3"):
        register.fill(register.named(name), licence="")
    for name in ("uvicorn", "jinja2"):
        register.fill(register.named(name), anomaly_list=None)
    late = (TODAY - timedelta(days=181)).isoformat()
    for name in ("pydicom", "pytest"):
        register.fill(register.named(name), evaluated_on=late)
    register.fill(register.named("alembic"), evaluated_on="")
    register.add("soup", "SOUP-90", title="NH3", version="0.3.7", purl="pkg:pypi/nh3@0.3.7")

    result = register.compare(read(text))

    found = {(one.code.name, one.name) for one in result.disagreements}
    assert found == {
        ("MISSING", "left-pad"),
        ("MISSING", "typer-next"),
        ("EXTRA", "typer"),
        ("DRIFT", "numpy"),
        ("DRIFT", "shapely"),
        ("NO_LICENCE", "rich"),
        ("NO_LICENCE", "nh3"),
        ("NO_ANOMALY_LIST", "uvicorn"),
        ("NO_ANOMALY_LIST", "jinja2"),
        ("OVERDUE", "pydicom"),
        ("OVERDUE", "pytest"),
        ("OVERDUE", "alembic"),
        ("DOUBLED", "NH3"),
    }
    assert result.counts()[Code.OVERDUE] == 3


@pytest.mark.parametrize("name", ["numpy", "fastapi", "cryptography", "ruamel-yaml"])
def test_each_update_of_one_dependency_names_the_evaluation_that_is_due(
    register, lock_text, name: str
) -> None:
    pinned = re.search(rf"^{name}==(\S+)", lock_text, flags=re.MULTILINE)[1]
    text = re.sub(rf"^{name}=={re.escape(pinned)}", f"{name}==99.0", lock_text, flags=re.MULTILINE)

    drift = only(register.compare(read(text)), Code.DRIFT)

    assert (drift.stated, drift.registered) == ("99.0", pinned)
    assert f"Due: evaluation of the anomaly list of {name} 99.0 (https://" in drift.due
    assert f"The last one, of {pinned}, was on {TODAY}" in drift.due
    assert drift.touched.items


def test_a_drift_names_items_requirements_risks_and_tests(register, lock_text) -> None:
    register.add("requirement", "REQ-1")
    register.add("requirement", "REQ-2")
    register.add("risk", "RSK-1")
    register.add("risk", "RSK-2")
    register.add("risk", "RSK-3")
    for uid in ("TST-1", "TST-2", "TST-3"):
        register.add("test", uid)
    register.link("REQ-1", "allocated_to", "SI-ENG")
    register.link("REQ-2", "allocated_to", "SI-APP")
    register.link("REQ-1", "mitigates", "RSK-1")
    register.link("RSK-2", "involves", "SI-ENG")
    register.link("RSK-3", "involves", "SI-APP")
    register.link("TST-1", "verifies", "REQ-1")
    register.link("TST-2", "validates", "RSK-2")
    register.link("TST-3", "verifies", "REQ-2")

    drift = only(
        register.compare(read(lock_text.replace("pydicom==3.0.2", "pydicom==3.1.0"))), Code.DRIFT
    )

    assert drift.touched.sentence == (
        "Touches software items SI-ENG; requirements REQ-1; risks RSK-1, RSK-2; tests TST-1, TST-2."
    )


def test_a_withdrawn_record_is_not_touched(register, lock_text) -> None:
    key = register.add("requirement", "REQ-1")
    register.link("REQ-1", "allocated_to", "SI-ENG")
    register.records[key] = replace(register.records[key], withdrawn=True)

    drift = only(
        register.compare(read(lock_text.replace("pydicom==3.0.2", "pydicom==3.1.0"))), Code.DRIFT
    )

    assert drift.touched.requirements == ()


def test_an_evaluation_holds_for_the_last_day_and_not_a_day_longer(register, lock_text) -> None:
    uid = register.named("numpy")
    register.fill(uid, evaluated_on=(TODAY - timedelta(days=180)).isoformat())
    assert register.compare(read(lock_text)).agrees

    register.fill(uid, evaluated_on=(TODAY - timedelta(days=181)).isoformat())
    late = only(register.compare(read(lock_text)), Code.OVERDUE)
    register.fill(uid, evaluated_on=(TODAY + timedelta(days=1)).isoformat())
    early = only(register.compare(read(lock_text)), Code.OVERDUE)

    assert "181 days ago; the limit is 180." in late.what
    assert "in the future" in early.what


def test_a_draft_in_the_register_counts_for_nothing(register, lock_text) -> None:
    [key] = [k for k in register.records if k.uid == register.named("numpy")]
    register.records[key] = replace(register.records[key], state="draft")

    missing = only(register.compare(read(lock_text)), Code.MISSING)

    assert (missing.name, missing.record) == ("numpy", None)


def test_registered_and_used_by_nobody_is_missing_with_its_record(register, lock_text) -> None:
    uid = register.named("pydicom")
    register.links = [link for link in register.links if link.target.uid != uid]

    missing = only(register.compare(read(lock_text)), Code.MISSING)

    assert missing.subject == uid
    assert "is registered, and no item uses it" in missing.what


def test_an_entry_whose_package_url_says_another_version(register, lock_text) -> None:
    register.fill(register.named("numpy"), purl="pkg:pypi/numpy@2.4.5")

    drift = only(register.compare(read(lock_text)), Code.DRIFT)

    assert "says version 2.4.6 and has the package URL of 2.4.5." in drift.what


def test_without_knowing_what_is_direct_everything_must_be_registered(register, lock_text) -> None:
    text = re.sub(r"^    #.*\n", "", lock_text, flags=re.MULTILINE)
    bill = read(text)

    result = register.compare(bill)

    missing = {one.name for one in result.disagreements if one.code is Code.MISSING}
    assert {"anyio", "ruff"} <= missing
    assert len(missing) == len(bill.components) - 34
    assert "every component of it must be registered" in what_it_cannot_tell(bill)


def test_a_registered_transitive_component_is_held_like_any_other(register, lock_text) -> None:
    register.add(
        "soup",
        "SOUP-90",
        title="anyio",
        version="1.0",
        licence="MIT",
        anomaly_list="https://example.org",
        evaluated_on=TODAY.isoformat(),
    )
    register.link("SI-APP", "uses", "SOUP-90")

    assert only(register.compare(read(lock_text)), Code.DRIFT).subject == "SOUP-90"


def test_a_component_without_a_package_url_is_known_by_its_name(register, lock_text) -> None:
    register.fill(register.named("ruamel-yaml"), purl="")

    assert register.compare(read(lock_text)).agrees


def test_a_kind_that_the_source_cannot_state_is_not_sought(register, lock_text) -> None:
    register.add(
        "soup",
        "SOUP-90",
        title="CPython",
        version="3.11",
        purl="pkg:generic/cpython@3.11",
        licence="PSF-2.0",
        anomaly_list="https://example.org",
        evaluated_on=TODAY.isoformat(),
    )
    register.link("SI-APP", "uses", "SOUP-90")
    environment = Bill(
        Source.ENVIRONMENT,
        "environment",
        (*read(lock_text).components, Component("cpython", "3.12.1", "pkg:generic/cpython@3.12.1")),
    )

    by_lock, by_environment = register.compare(read(lock_text)), register.compare(environment)

    assert [one.uid for one in by_lock.not_sought] == ["SOUP-90"]
    assert only(by_environment, Code.DRIFT).subject == "SOUP-90"


@pytest.mark.parametrize(
    ("registered", "stated", "same"),
    [
        ("3.11", "3.11.9", True),
        ("3.1", "3.11.9", False),
        ("3.11.9", "3.11", False),
        ("2.4.6", "2.4.6", True),
        ("", "2.4.6", False),
        ("2.4.6", "2.4.6rc1", False),
    ],
)
def test_versions(registered: str, stated: str, same: bool) -> None:
    assert same_version(registered, stated) is same


def test_every_finding_says_what_to_do(register, lock_text) -> None:
    register.fill(register.named("numpy"), version="1", purl="", licence="", anomaly_list="")

    result = register.compare(read(lock_text), replace(HELD, evaluation_days=-1))

    assert len(result.disagreements) > 30
    assert all(one.mend.endswith(".") and one.what.endswith(".") for one in result.disagreements)
