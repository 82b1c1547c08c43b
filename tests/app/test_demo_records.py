"""The demonstration's register names the components that its release is really built of."""

import platform
from importlib.metadata import version

import pytest

from app.demo import records
from core.records.content import RecordDraft
from validation.runs.bill import loaded_packages


def components() -> dict[str, RecordDraft]:
    drafts = records.read_files({}).device.drafts
    return {draft.uid: draft for draft in drafts if draft.type == "soup"}


def test_every_package_that_the_device_loads_is_registered_as_it_is_installed() -> None:
    register = components()

    assert set(records.BUILT_IN.values()) == set(loaded_packages())
    for uid, package in records.BUILT_IN.items():
        assert register[uid].content.title == package
        assert register[uid].content.fields["version"] == version(package)
        assert register[uid].content.fields["purl"] == f"pkg:pypi/{package}@{version(package)}"
    python = platform.python_version()
    assert python.startswith(register["SOUP-01"].content.fields["version"] + ".")


def test_on_another_python_the_register_follows_its_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock pins numpy 2.4.6 before Python 3.12 and a later one from there on."""
    locked = {"numpy": "2.5.5", "pydicom": "3.0.2", "shapely": "2.2.0"}
    monkeypatch.setattr(records, "version", locked.__getitem__)
    monkeypatch.setattr(records.platform, "python_version_tuple", lambda: ("3", "13", "0"))

    register = components()

    assert register["SOUP-01"].content.fields["version"] == "3.13"
    assert register["SOUP-01"].content.fields["purl"] == "pkg:generic/cpython@3.13"
    assert register["SOUP-04"].content.fields["version"] == "2.5.5"
    assert register["SOUP-04"].content.fields["purl"] == "pkg:pypi/numpy@2.5.5"
    # What the release is not built of stays what the file says.
    assert register["SOUP-03"].content.fields["version"] == "3.0.4"
