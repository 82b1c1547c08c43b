"""CycloneDX: what is written is read back, the same bytes each time; what is hostile is refused."""

import copy
import json
from datetime import UTC, datetime

import pytest

from core.errors import Invalid
from qms.soup import bills
from qms.soup.bills import read_sbom
from qms.soup.components import Component
from qms.soup.environment import installed
from qms.soup.writing import sbom_json
from tests.effort import effort
from tests.qms.soup.conftest import read

CREATED = datetime(2026, 11, 20, tzinfo=UTC)
SMALL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "metadata": {"component": {"type": "application", "name": "app", "bom-ref": "app"}},
    "components": [
        {
            "type": "library",
            "bom-ref": "a",
            "name": "core",
            "group": "@angular",
            "version": "1.0",
            "purl": "pkg:npm/%40angular/core@1.0",
            "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "Own words"}}],
            "hashes": [{"alg": "SHA-256", "content": "AB"}],
            "supplier": {"name": "Google"},
            "components": [{"type": "library", "bom-ref": "b", "name": "inner", "version": "2"}],
        },
        {"type": "file", "name": "a.txt"},
        {
            "type": "library",
            "bom-ref": "c",
            "name": "lint",
            "version": "3",
            "scope": "excluded",
            "licenses": [{"expression": "MIT OR Apache-2.0"}],
        },
    ],
    "dependencies": [{"ref": "app", "dependsOn": ["a", "c"]}, {"ref": "a", "dependsOn": ["b"]}],
}


def faults(value: object) -> list[str]:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(Invalid) as refused:
        read_sbom(content, "bom.json")
    return [f"{one.code} {one.where}" for one in refused.value.faults]


@pytest.mark.parametrize("version", ["1.4", "1.5", "1.6"])
def test_a_bill_of_another_tool_is_read(version: str) -> None:
    bill = read_sbom(json.dumps({**SMALL, "specVersion": version}).encode(), "bom.json")

    core, lint, inner = bill.components
    assert core.key == ("npm", "@angular/core")
    assert (core.licence, core.hashes, core.supplier) == (
        "MIT; Own words",
        ("sha256:ab",),
        "Google",
    )
    assert (core.direct, inner.direct, inner.needed_by) == (True, False, ("@angular/core",))
    assert (lint.delivered, lint.licence) == (False, "MIT OR Apache-2.0")
    assert bill.brought_by(inner) == ("@angular/core",)
    assert [one.name for one in bill.left_out] == ["a.txt"]


def test_our_lock_file_survives_being_written_and_read_back(lock_text) -> None:
    stated = read(lock_text)

    for version in ("1.5", "1.6"):
        content = sbom_json(stated.components, "fiducial", "0.1.0", spec_version=version)
        back = read_sbom(content, "sbom.cdx.json")

        assert json.loads(content)["specVersion"] == version
        for one in stated.components:
            other = back.by_name[one.key[1]]
            assert (one.version, one.purl, one.hashes) == (other.version, other.purl, other.hashes)
            assert (one.direct, one.delivered) == (other.direct, other.delivered)
            assert one.needed_by == other.needed_by


def test_the_same_components_give_the_same_bytes_and_others_do_not(lock_text) -> None:
    components = read(lock_text).components

    one = sbom_json(components, "P", "1")

    assert one == sbom_json(reversed(components), "P", "1")
    assert one != sbom_json(components[:-1], "P", "1")
    value = json.loads(one)
    assert "timestamp" not in value["metadata"]
    assert value["serialNumber"].startswith("urn:uuid:")


def test_a_bill_states_a_time_only_where_one_is_given() -> None:
    listed = [
        Component("Zope.Interface", "2", "pkg:pypi/zope-interface@2", "ZPL-2.1"),
        Component("attrs", "1", "pkg:pypi/attrs@1", "MIT License", "H. S."),
        Component("geos", "3", hashes=("sha224:00", "sha256:" + "0" * 64)),
    ]

    value = json.loads(sbom_json(listed, "P", "1", CREATED))

    assert value["metadata"]["timestamp"] == "2026-11-20T00:00:00+00:00"
    found = {item["name"]: item for item in value["components"]}
    assert {name: item.get("purl") for name, item in found.items()} == {
        "Zope.Interface": "pkg:pypi/zope-interface@2",
        "attrs": "pkg:pypi/attrs@1",
        "geos": None,
    }
    # A kind of hash that the form does not know is left out.
    assert [one["alg"] for one in found["geos"]["hashes"]] == ["SHA-256"]


def test_the_environment_states_what_is_installed_with_its_licences() -> None:
    found = {one.key[1]: one for one in installed().components}

    assert found["pydicom"].version.startswith("3.")
    assert found["weasyprint"].licence
    assert found["cpython"].purl.startswith("pkg:generic/cpython@3.")
    assert sum(1 for one in found.values() if one.licence) > 0.9 * len(found)
    assert all(one.direct is None for one in found.values() if one.name != "cpython")
    assert "fastapi" in found["starlette"].needed_by


def test_the_requirements_of_a_named_product_are_direct() -> None:
    found = {one.key[1]: one for one in installed("FastAPI").components}

    assert "fastapi" not in found
    assert (found["starlette"].direct, found["numpy"].direct) == (True, False)


def test_every_fault_is_named_with_its_place() -> None:
    wrong = copy.deepcopy(SMALL)
    wrong["components"] = [
        {"type": "library", "version": "1"},
        {"type": "library", "name": "a", "version": "1", "purl": "pypi/a"},
        {"type": "library", "name": "b", "version": "1", "purl": "pkg:pypi/b@2"},
        {"type": "library", "name": 7},
        "nothing",
        {"type": "library", "name": "c", "components": {}},
    ]
    wrong["dependencies"] = [{"ref": "app", "dependsOn": "all"}]

    assert faults(wrong) == [
        "SR13 bom.json components[0]",
        "SR14 bom.json components[1]",
        "SR14 bom.json components[2]",
        "SR13 bom.json components[3].name",
        "SR13 bom.json components[3]",
        "SR13 bom.json components[4]",
        "SR13 bom.json components[5].components",
        "SR13 bom.json dependencies[0]",
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"", "SR10"),
        (b"[]", "SR10"),
        (b"{", "SR10"),
        (b'{"a": NaN}', "SR10"),
        (b'{"bomFormat": "CycloneDX", "bomFormat": "SPDX"}', "SR10"),
        (b"[" * 100_000, "SR11"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "SR11"),
        (b'{"a": "' + b"[" * 100 + b'"}', "SR12"),  # brackets in a text nest nothing
        ({**SMALL, "specVersion": "1.3"}, "SR12"),
        ({**SMALL, "bomFormat": "SPDX"}, "SR12"),
        ({"spdxVersion": "SPDX-2.3"}, "SR12"),
        ({**SMALL, "components": {}}, "SR13"),
        ({**SMALL, "components": [{"name": "a", "version": v} for v in "12"]}, "SR06"),
        ({**SMALL, "components": [{"name": "x" * 3000}]}, "SR13"),
    ],
)
def test_what_is_no_bill_is_refused(value: object, code: str) -> None:
    assert faults(value)[0].startswith(code)


def test_size_and_number_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert faults(b" " * (bills.LARGEST_BYTES + 1)) == ["SR11 bom.json"]
    monkeypatch.setattr(bills, "MOST_COMPONENTS", 1)
    assert "SR11 bom.json components" in faults(SMALL)


def test_a_flood_of_faults_is_cut_to_what_a_person_reads() -> None:
    assert len(faults({**SMALL, "components": [1] * 1000})) == bills.MOST_FAULTS


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": "' + b'\\"' * 1_000_000,
        b'{"a": "' + b"x" * 4_000_000 + b"\\",
        b'{"components": [' + b"{}," * 300_000 + b"{}]}",
        b'{"components": [' + b"1," * 300_000 + b"1]}",
        b"{" + b'"a":1,' * 500_000 + b'"a":1}',
    ],
    ids=["escapes", "open text", "many components", "many faults", "many keys"],
)
def test_a_hostile_bill_is_refused_in_seconds(content: bytes) -> None:
    found: list[str] = []

    spent = effort(lambda: found.extend(faults(content)))

    assert found
    assert spent < 1000
