"""Make a fresh clone ready to run: system packages, Python packages, what the browser loads.

Runs on the standard library of Python 3.11 or newer; repeated, it does only what has changed.

    python3 scripts/setup.py            what the service and the demonstration need
    python3 scripts/setup.py --tests    also the peers that the tests hold the service against
    python3 scripts/setup.py --assets   only what the browser loads, as a wheel carries it
"""

from __future__ import annotations

import argparse
import ctypes.util
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NODE_MODULES = ROOT / "node_modules"
VENDOR = ROOT / "app" / "static" / "vendor"
STAMP = ".fiducial-stamp"
"""A file beside each thing that set-up made, holding the digest of what it was made from."""

OURS = ("app", "core", "dataflows", "engine", "qms", "validation")
"""The folders that a process of the service imports from."""

OLDEST_PYTHON = (3, 11)

ENTRY_POINT = """\
#!/bin/sh
'''exec' "$(dirname "$0")/python" "$0" "$@"
' '''
import sys

from app.cli import cli

sys.exit(cli())
"""
"""A console script that survives long paths and spaces, which a #! line does not."""


METADATA = """\
Metadata-Version: 2.1
Name: fiducial
Version: {version}
"""
"""What tells a running service its own version."""


class SetupError(Exception):
    """Set-up cannot go on; the message says what to do."""


def say(text: str) -> None:
    """Tell the person at the terminal what is happening."""
    sys.stdout.write(f"set-up: {text}\n")
    sys.stdout.flush()


def run(*command: str, **environment: str) -> None:
    """Run a command in the project's folder; what it prints is shown only when it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        check=False,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise SetupError(
            f"`{' '.join(command)}` ended with exit code {done.returncode}:\n\n{done.stdout}"
        )


@contextmanager
def caches() -> Iterator[dict[str, str]]:
    """Yield settings that give pip, uv and npm a cache to write, for as long as it is asked for.

    Without a home that can be written, uv ends with an error and npm does not end at all.
    """
    try:
        with tempfile.TemporaryFile(dir=Path.home()):
            writable = True
    except (OSError, RuntimeError):
        writable = False
    if writable:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="fiducial-set-up-") as folder:
        names = ("PIP_CACHE_DIR", "UV_CACHE_DIR", "npm_config_cache")
        yield {name: os.environ.get(name, f"{folder}/{name}") for name in names}


# What the machine must have


def on_path(*commands: str) -> Callable[[], bool]:
    """Whether every one of these commands can be found."""
    return lambda: all(shutil.which(command) for command in commands)


def library(*names: str) -> Callable[[], bool]:
    """Whether every one of these shared libraries can be loaded."""
    return lambda: all(ctypes.util.find_library(name) for name in names)


def present(pattern: str) -> Callable[[], bool]:
    """Whether at least one file matches an absolute pattern."""
    return lambda: any(Path("/").glob(pattern.lstrip("/")))


def venv_possible() -> bool:
    """Whether a virtual environment can be made: uv is there, or this Python has ensurepip."""
    return shutil.which("uv") is not None or importlib.util.find_spec("ensurepip") is not None


SERVICE_NEEDS: dict[str, Callable[[], bool]] = {
    "git": on_path("git"),
    "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0": library(
        "pango-1.0", "pangoft2-1.0", "harfbuzz-subset"
    ),
    "fontconfig fonts-dejavu-core": present("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    "fonts-liberation": present("/usr/share/fonts/truetype/liberation*/LiberationSans-Regular.ttf"),
    "graphviz": on_path("dot"),
    "nodejs": on_path("node"),
    "npm": on_path("npm"),
    "python3-venv": venv_possible,
}
"""Debian packages and how to tell that they are there; needed to run the service at all."""

TEST_NEEDS: dict[str, Callable[[], bool]] = {
    "dcmtk": present("/usr/bin/storescu"),
    "orthanc": present("/usr/sbin/Orthanc"),
    "chromium": on_path("chromium"),
    "libatomic1": library("atomic"),  # of the driver that Playwright brings
    "postgresql": present("/usr/lib/postgresql/*/bin/initdb"),
    "poppler-utils": on_path("pdftotext"),
}
"""Independent peers that the tests hold the service against."""


def missing_packages(needs: dict[str, Callable[[], bool]]) -> list[str]:
    """Return the Debian packages whose contents are not on this machine."""
    return [
        name for packages, is_there in needs.items() if not is_there() for name in packages.split()
    ]


def as_root() -> str:
    """Return how root is asked to run a shell command; a bare Debian has no sudo."""
    if os.geteuid() == 0:
        return "sh -c"
    # A login shell has root's PATH; with the user's own, dpkg does not find its programs.
    return "sudo sh -c" if shutil.which("sudo") else "su - -c"


def install_system_packages(with_tests: bool) -> None:
    """Install what the machine lacks when we may, else say exactly how."""
    needs = {**SERVICE_NEEDS, **(TEST_NEEDS if with_tests else {})}
    missing = missing_packages(needs)
    if not missing:
        return
    install = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupError(
            "this machine lacks some system packages. "
            "On Debian, run this and then repeat your command:\n\n"
            f"    {as_root()} 'apt-get update && {install}'\n"
        )
    say(f"installing system packages: {' '.join(missing)}")
    patience = ("-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
    run("apt-get", *patience, "update")
    run("apt-get", *patience, *install.split()[1:], DEBIAN_FRONTEND="noninteractive")
    still = missing_packages(needs)
    if still:
        raise SetupError(
            f"these packages were installed but cannot be found: {' '.join(still)}. "
            "Is /usr/bin in PATH?"
        )


# What is made from what


def digest_of(paths: Iterable[Path], *more: str) -> str:
    """Return the digest of files' names and contents and of further words."""
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    for word in more:
        total.update(word.encode() + b"\0")
    return total.hexdigest()


def stamped(folder: Path) -> str:
    """Return what a folder was made from, or nothing."""
    stamp = folder / STAMP
    return stamp.read_text(encoding="utf-8") if stamp.is_file() else ""


def set_stamp(folder: Path, digest: str) -> None:
    """Remember what a folder was made from."""
    (folder / STAMP).write_text(digest, encoding="utf-8")


def install_python_packages() -> None:
    """Bring .venv to exactly what requirements.lock says, by uv where present, else by pip."""
    lock = ROOT / "requirements.lock"
    wanted = digest_of([lock, Path(__file__).resolve()], sys.version, str(ROOT), product_version())
    python = VENV / "bin" / "python"
    if stamped(VENV) == wanted and python.exists():
        return
    uv = shutil.which("uv")
    say(f"installing Python packages into .venv with {'uv' if uv else 'venv and pip'}")
    if not python.exists() or python_version(python) != sys.version:
        shutil.rmtree(VENV, ignore_errors=True)
        run(
            *(
                [uv, "venv", "--python", sys.executable, str(VENV)]
                if uv
                else [sys.executable, "-m", "venv", str(VENV)]
            )
        )
    if uv:
        # Compiled, as pip does it unasked: where PYTHONDONTWRITEBYTECODE is set, every process of
        # the service and of its tests would otherwise compile its packages again.
        exact = ("--require-hashes", "--compile-bytecode")
        run(uv, "pip", "sync", "--quiet", "--python", str(python), *exact, str(lock))
    else:
        pip = (str(python), "-m", "pip")
        leftover = leftover_packages(python, lock.read_text(encoding="utf-8"))
        if leftover:
            run(*pip, "uninstall", "--quiet", "--yes", *leftover)
        # The lock is complete, so nothing is left for pip to resolve.
        quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
        run(*pip, "install", *quiet, "--requirement", str(lock))
    put_project_on_path(python)
    set_stamp(VENV, wanted)


def leftover_packages(python: Path, lock: str) -> list[str]:
    """Return what is installed and no longer locked; pip, unlike uv, would leave it there."""
    listed = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    asked = subprocess.run([python, "-c", listed], capture_output=True, text=True, check=True)
    locked = {normalised(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    kept = locked | {"pip", "setuptools", "fiducial"}
    return sorted(name for name in asked.stdout.split() if normalised(name) not in kept)


def normalised(name: str) -> str:
    """Return a package's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def python_version(python: Path) -> str:
    """Return the full version of an interpreter, or nothing when it does not start."""
    asked = subprocess.run(
        [python, "-c", "import sys; print(sys.version)"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.removesuffix("\n")


def compile_sources() -> None:
    """Compile what is ours and has changed, so that not every process does it again.

    The service starts a process for every job, and its tests hundreds; that of a job would spend
    a third of its start on this. A clone that cannot be written works without.
    """
    folders = [str(ROOT / name) for name in OURS]
    command = [str(VENV / "bin" / "python"), "-m", "compileall", "-q", *folders]
    subprocess.run(command, check=False, capture_output=True)


def put_project_on_path(python: Path) -> None:
    """Make `import core` and the command `fiducial` work in .venv, without building anything."""
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True)
    site_packages = Path(answer.stdout.strip())
    (site_packages / "fiducial.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    for older in site_packages.glob("fiducial-*.dist-info"):
        shutil.rmtree(older)
    version = product_version()
    metadata = site_packages / f"fiducial-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(METADATA.format(version=version), encoding="utf-8")
    command = VENV / "bin" / "fiducial"
    command.write_text(ENTRY_POINT, encoding="utf-8")
    command.chmod(0o755)


def product_version() -> str:
    """Return the version that pyproject.toml states."""
    # By hand: tomllib would end this script on an older Python before it can say what it needs.
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return str(re.findall(r'^version = "([^"]+)"$', project, re.MULTILINE)[0])


def build_assets(with_tests: bool) -> None:
    """Fetch the pinned front-end packages; build app/static/vendor from them and assets/."""
    locks = [ROOT / "package.json", ROOT / "package-lock.json"]
    for_service, for_tests = digest_of(locks, "service"), digest_of(locks, "tests")
    sources = sorted((ROOT / "assets").iterdir())
    wanted = digest_of([*locks, *sources, ROOT / "scripts" / "assets.py"])
    built = stamped(VENDOR) == wanted
    fetched = stamped(NODE_MODULES) == for_tests or (
        stamped(NODE_MODULES) == for_service and not with_tests
    )
    if not fetched and (with_tests or not built):
        if shutil.which("npm") is None:
            raise SetupError(
                "the front-end packages are fetched with npm, which is not on this machine. "
                "On Debian: apt-get install nodejs npm"
            )
        say("fetching front-end packages")
        extent = [] if with_tests else ["--omit=dev"]
        run(
            "npm",
            "ci",
            *extent,
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--loglevel=error",
        )
        set_stamp(NODE_MODULES, for_tests if with_tests else for_service)
    if not built:
        say("building app/static/vendor")
        run(sys.executable, str(ROOT / "scripts" / "assets.py"))
        set_stamp(VENDOR, wanted)


def newer_python() -> str | None:
    """Return another interpreter on this machine that is new enough and starts."""
    found = (shutil.which(f"python3.{minor}") for minor in range(14, 10, -1))
    return next((path for path in found if path and python_version(Path(path))), None)


def main() -> int:
    """Set up and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tests", action="store_true", help="also install what the tests need")
    parser.add_argument("--assets", action="store_true", help="only build what the browser loads")
    options = parser.parse_args()
    started = time.monotonic()
    # Two `make` at once would build the same folders; the second waits for the first.
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        with caches() as settings:
            os.environ.update(settings)
            if not options.assets:
                install_system_packages(options.tests)
                install_python_packages()
                compile_sources()
            build_assets(options.tests)
    except SetupError as error:
        sys.stderr.write(f"set-up: {error}\n")
        return 1
    finally:
        os.close(folder)
    seconds = time.monotonic() - started
    if seconds > 1:
        say(f"ready after {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        if other := newer_python():
            os.execv(other, [other, *sys.argv])
        sys.exit("set-up: Fiducial needs Python 3.11 or newer; on Debian: apt-get install python3")
    sys.exit(main())
