"""An installed wheel does what a clone does: it is begun, examined and served from anywhere."""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.verifies("TST-039")]

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "app", "core", "qms", "dataflows", "validation", "engine", "templates", "migrations",
)  # fmt: skip

START_TIMEOUT_S = 120


def run(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody who has no clone: nothing here points into this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIDUCIAL_")}
    kept.pop("PYTHONPATH", None)
    return subprocess.run(  # noqa: S603 - our own programs
        list(map(str, command)),
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this clone."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("fiducial-*.whl"))


@pytest.fixture(name="programs", scope="module")
def _programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a throw-away environment over the locked packages; its programs."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    python, uv = venv / "bin" / "python", shutil.which("uv")
    if uv:
        made = run(uv, "venv", "--quiet", "--python", sys.executable, venv, cwd=venv.parent)
        install = (uv, "pip", "install", "--python", python, "--no-deps", "--offline", wheel)
    else:
        made = run(sys.executable, "-m", "venv", venv, cwd=venv.parent)
        install = (python, "-m", "pip", "install", "--no-deps", "--no-index", wheel)
    assert made.returncode == 0, made.stderr
    installed = run(*install, cwd=venv.parent)
    assert installed.returncode == 0, installed.stderr
    # A .pth line is only a path: the .pth that puts this clone on its own path is not read there.
    beside = venv / "lib" / Path(sysconfig.get_path("purelib")).parent.name / "site-packages"
    (beside / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


@pytest.fixture(name="begun", scope="module")
def _begun(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Begin an installation in an empty folder."""
    folder = tmp_path_factory.mktemp("empty")
    began = run(
        *(programs / "fiducial", "init", "--name", "Ada Admin", "--username", "ada"),
        cwd=folder,
        FIDUCIAL_INIT_PASSWORD="correct horse battery",
    )
    assert began.returncode == 0, began.stderr
    return folder


def test_every_file_of_the_service_is_in_the_wheel(wheel: Path) -> None:
    here = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert "app/static/vendor/nhsuk.css" in here
    assert packed == here | {"validation/runs/requirements.lock"}


def test_the_wheel_runs_its_own_files_and_not_the_clone(programs: Path, begun: Path) -> None:
    where = run(programs / "python", "-c", "import app; print(app.__file__)", cwd=begun)

    assert Path(where.stdout.strip()).is_relative_to(programs.parent)


def test_an_installation_begun_from_a_wheel_is_sound(programs: Path, begun: Path, need) -> None:
    need("graphviz")

    doctor = run(programs / "fiducial", "doctor", "--json", cwd=begun)

    found = {one["name"]: one for one in json.loads(doctor.stdout)}
    assert doctor.returncode == 0, doctor.stdout
    assert found["page assets"]["detail"].startswith(str(programs.parent))
    assert found["Python packages"]["detail"].startswith(f"as locked in {programs.parent}")
    assert found["schema"]["state"] == found["guards"]["state"] == "ready"


def test_the_device_of_the_demonstration_is_in_the_wheel(programs: Path, begun: Path) -> None:
    build = (
        "from pathlib import Path; from app.demo.device_repository import *; "
        "print(build_device_repository(Path('device')).commit)"
    )

    built = run(programs / "python", "-c", build, cwd=begun)

    assert built.returncode == 0, built.stderr
    device = {path.name for path in (ROOT / "app" / "demo" / "device").rglob("*.feature")}
    assert device
    assert {path.name for path in (begun / "device").rglob("*.feature")} == device


@contextmanager
def served(programs: Path, folder: Path) -> Iterator[str]:
    """Serve an installation on a free port and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (folder / "serve.log").open("wb")
    command = [programs / "fiducial", "serve", "--no-with-worker", "--port", str(port)]
    service = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)  # noqa: S603
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        service.terminate()
        service.wait(timeout=30)
        log.close()


def answer(address: str) -> bytes:
    """Return what an address answers, waiting for the service to start."""
    until = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as response:  # noqa: S310
                return bytes(response.read())
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def test_pages_and_their_assets_are_served_from_a_wheel(programs: Path, begun: Path) -> None:
    with served(programs, begun) as origin:
        page = answer(f"{origin}/sign-in")
        style = answer(f"{origin}/static/vendor/fiducial.css")

    assert b'name="password"' in page
    assert style == (ROOT / "assets" / "fiducial.css").read_bytes()
