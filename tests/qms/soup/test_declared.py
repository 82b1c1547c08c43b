"""What a repository holds at a commit is read from its mirror, byte for byte, and nothing else."""

from pathlib import Path

import pytest

from core.errors import Invalid
from core.records.models import Project
from core.records.service import find_project
from core.records.snapshot import Key, RecordView
from qms.repositories.mirror import Mirror
from qms.repositories.models import Repository
from qms.soup.declared import declared
from tests.conftest import Office
from tests.qms.soup.mirrors import commit

LOCK = b"numpy==2.4.6\n    # via -r requirements.in\n"
OTHER = b"numpy==2.5.5\n    # via -r requirements.in\n"
BILL = b"""{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
{"type": "library", "name": "numpy", "version": "2.4.6", "purl": "pkg:pypi/numpy@2.4.6"}]}"""


def release(commit_name: str, sbom: str = "") -> RecordView:
    fields = {"commit": commit_name, "sbom": sbom, "git_tag": "v1"}
    return RecordView(Key("RPM", "REL-1"), "release", title="Release 1", fields=fields)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "x.git"


def test_a_file_of_a_commit_is_read_as_it_is(mirror: Path) -> None:
    content = b"\n\n one\r\n\x00two\n\n"
    sha = commit(mirror, {"a/b.lock": content, "empty": b""})

    assert Mirror(mirror).read(sha, "a/b.lock", 100) == content
    assert Mirror(mirror).read(sha, "empty", 100) == b""


@pytest.mark.parametrize(
    "path",
    ["", "a", "c", "/a/b.lock", "a/../a/b.lock", "./a/b.lock", "a//b.lock", "a/b.lock\nHEAD", "a/"],
)
def test_what_is_no_plain_path_to_a_file_is_not_read(mirror: Path, path: str) -> None:
    sha = commit(mirror, {"a/b.lock": b"x"})

    assert Mirror(mirror).read(sha, path, 100) is None


def test_a_file_that_is_too_large_is_refused_before_it_is_read(mirror: Path) -> None:
    sha = commit(mirror, {"a.lock": b"x" * 101})

    with pytest.raises(Invalid, match="too large") as refused:
        Mirror(mirror).read(sha, "a.lock", 100)
    assert "holds 101 bytes, more than 100" in str(refused.value.faults[0])


@pytest.fixture(name="project")
def _project(office: Office) -> Project:
    with office.database.writing() as session:
        project = find_project(session, "RPM")
        session.add(
            Repository(
                id=1, project_id=project.id, name="device", address="/srv", registered_by="A. K."
            )
        )
        session.flush()
        session.expunge(project)
        return project


@pytest.fixture(name="held")
def _held(office: Office, tmp_path: Path) -> Path:
    """The place of the mirror, in the data folder of the installation."""
    office.database.data_dir = tmp_path
    return tmp_path / "repositories" / "1.git"


def stated(office: Office, project: Project, sha: str, sbom: str = "", python: str = ""):
    with office.database.reading() as session:
        return declared(session, project, release(sha, sbom), python)


def test_the_usual_places_are_looked_at_in_order(office, project, held) -> None:
    both = commit(held, {"requirements.lock": LOCK, "bom.json": BILL})
    bill = commit(held, {"bom.json": BILL}, "other")

    assert stated(office, project, both).bill.name == "requirements.lock"
    assert stated(office, project, bill).bill.name == "bom.json"


def test_the_file_that_the_release_names_is_the_one(office, project, held) -> None:
    sha = commit(held, {"requirements.lock": LOCK, "deploy/app.lock": OTHER})

    found = stated(office, project, sha, "deploy/app.lock")

    assert found.bill.by_name["numpy"].version == "2.5.5"
    gone = stated(office, project, sha, "evidence/sbom.cdx.json")
    assert gone.bill is None
    assert gone.problem == (
        f"commit {sha[:7]} holds no evidence/sbom.cdx.json, which the release names"
    )


def test_markers_are_read_for_the_python_of_the_run(office, project, held) -> None:
    text = b"numpy==2.4.6 ; python_version < '3.12'\nnumpy==2.5.5 ; python_version >= '3.12'\n"
    sha = commit(held, {"requirements.lock": text})

    versions = [
        stated(office, project, sha, python=python).bill.by_name["numpy"].version
        for python in ("3.11.9", "3.13.0")
    ]

    assert versions == ["2.4.6", "2.5.5"]


def test_why_nothing_is_declared_is_said(office, project, held) -> None:
    empty = commit(held, {"README": b"x"})
    broken = commit(held, {"requirements.lock": b"numpy>=2\n-e .\n"}, "broken")

    problems = {
        name: stated(office, project, sha).problem
        for name, sha in (("empty", empty), ("broken", broken), ("gone", "0" * 40), ("none", ""))
    }

    assert problems["empty"] == (
        f"commit {empty[:7]} holds none of requirements.lock, sbom.cdx.json, bom.json"
    )
    assert "requirements.lock:1" in problems["broken"]
    assert "requirements.lock:2" in problems["broken"]
    assert problems["gone"] == "no scanned repository of RPM holds commit 0000000"
    assert problems["none"] == "its commit is not known"
