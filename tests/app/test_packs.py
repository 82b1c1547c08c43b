"""Everything that is data is read at the start, and every fault of it is said at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.packs import PACKS, check_packs
from core.errors import Invalid
from core.settings import get_settings
from qms.clauses.packs import clause_book
from qms.risks.packs import matrix_packs
from qms.rules.packs import framework_pack


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A department's folder, named in the settings of this process."""
    for name in ("clauses", "matrices", "rules"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("FIDUCIAL_FRAMEWORKS_DIR", str(tmp_path))
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    for one in (get_settings, *PACKS):
        one.cache_clear()  # type: ignore[attr-defined]


def test_the_department_s_packs_come_into_force(folder: Path) -> None:
    (folder / "clauses/local.yaml").write_text(
        "key: local\nname: Local\nnames: [LOC]\nclauses: {1.1: people}\n"
    )
    (folder / "rules/ours.yaml").write_text(
        "changes: medical-device-software\nlimits: {retention_years: 15}\n"
    )
    (folder / "README.md").write_text("what stands here")

    check_packs()

    assert "local" in clause_book().lists
    assert framework_pack().limits["retention_years"] == 15
    assert list(matrix_packs()) == ["nhs-dcb-5x5"]


def test_faults_of_every_kind_of_pack_are_said_at_once(folder: Path) -> None:
    (folder / "clauses/a.yaml").write_text("key: a\n")
    (folder / "matrices/a.yaml").write_text("id: a\n")
    (folder / "rules/a.yaml").write_text("changes: nothing\n")
    (folder / "rules/b.yml").write_text("changes: medical-device-software\n")
    (folder / "matrix").mkdir()

    with pytest.raises(Invalid) as refusal:
        check_packs()

    codes = [fault.code for fault in refusal.value.faults]
    assert codes[:2] == ["PK02", "PK02"]
    assert {"CL01", "RM02", "RM03", "RM08", "FP10"} <= set(codes)


def test_a_folder_that_is_not_there_is_named(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("FIDUCIAL_FRAMEWORKS_DIR", str(folder / "nowhere"))
    forget()

    with pytest.raises(Invalid) as refusal:
        check_packs()

    assert [fault.where for fault in refusal.value.faults] == ["FIDUCIAL_FRAMEWORKS_DIR"]
