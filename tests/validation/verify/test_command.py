"""``fiducial verify``: offline, light, and clear about the three answers."""

import json
import subprocess
import sys
from pathlib import Path

from tests.validation.pack.tampering import append, read_members, repack
from tests.validation.verify.reading import RECORD
from validation.verify.command import verify_command


def run_command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; from pathlib import Path;"
        "from validation.verify.command import verify_command;"
        "status = verify_command(Path(sys.argv[1]), [Path(k) for k in sys.argv[2:]]);"
        "heavy = {'sqlalchemy', 'sqlmodel', 'weasyprint', 'jinja2', 'fastapi', 'pydantic'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "sys.exit(status)"
    )
    root = Path(__file__).parents[3]
    return subprocess.run(  # noqa: S603 (our own interpreter, a fixed program)
        [sys.executable, "-c", program, *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(root), "PATH": "/nowhere", "FIDUCIAL_DATABASE_URL": "sqlite:////x"},
    )  # fmt: skip


def test_it_needs_no_database_and_leaves_nothing_behind(pack, key_file, tmp_path) -> None:
    trusted = run_command(tmp_path, str(pack), str(key_file))
    unknown = run_command(tmp_path, str(pack))

    assert (trusted.returncode, trusted.stderr) == (0, "")
    assert "intact, and signed by a key you trust" in trusted.stdout
    assert (unknown.returncode, unknown.stderr) == (2, "")
    assert "DEMONSTRATION" in unknown.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_not_mistaken_for_an_unknown_signer(tmp_path) -> None:
    absent = run_command(tmp_path, "absent.zip")

    assert absent.returncode == 1
    assert "There is no pack absent.zip" in absent.stdout


def test_as_json_it_says_the_same(pack, key_file, tmp_path) -> None:
    longer = append(pack, "x.txt", b"x", tmp_path / "longer.zip")
    written: list[str] = []

    status = verify_command(longer, [key_file], as_json=True, write=written.append)

    said = json.loads("".join(written))
    assert (status, said["exit_code"], said["trusted"]) == (1, 1, True)
    assert said["findings"] == [
        {"member": "x.txt", "kind": "added", "what": "it is not in the manifest."}
    ]


def test_a_repacked_zip_does_not_fill_the_screen(pack, key_file, tmp_path) -> None:
    members = read_members(pack)
    members[RECORD] = b"{}"
    written: list[str] = []

    status = verify_command(
        repack(members, tmp_path / "p.zip", 8), [key_file], write=written.append
    )

    text = "".join(written)
    assert status == 1
    assert f"{RECORD}: changed" in text
    assert "members were packed again by another program" in text
    assert len(text.splitlines()) < 12
