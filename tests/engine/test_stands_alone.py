"""The engine imports in a fresh process with none of our other folders present."""

import shutil
import subprocess
import sys
from pathlib import Path

import engine

HOME = Path(engine.__path__[0])
PROBE = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import engine
names = [m.name for m in pkgutil.walk_packages(engine.__path__, "engine.")]
for name in names:
    importlib.import_module(name)
ours = {"app", "core", "qms", "dataflows", "validation"}
web = {"fastapi", "starlette", "sqlalchemy", "sqlmodel", "jinja2", "weasyprint"}
present = sorted({name.split(".")[0] for name in sys.modules} & (ours | web))
print(len(names), engine.__path__[0], present)
"""


def test_every_module_imports_with_our_other_folders_absent(tmp_path: Path) -> None:
    shutil.copytree(HOME, tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__"))

    done = subprocess.run(  # noqa: S603  (our own interpreter and code)
        [sys.executable, "-I", "-c", PROBE, str(tmp_path)],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    count, where, present = done.stdout.split(maxsplit=2)
    assert int(count) == len([p for p in HOME.rglob("*.py") if p.name != "__init__.py"]) + len(
        [p for p in HOME.rglob("__init__.py") if p.parent != HOME]
    )
    assert where == str(tmp_path / "engine")
    assert present.strip() == "[]"


def test_a_copy_alone_passes_its_selftest(tmp_path: Path) -> None:
    shutil.copytree(HOME, tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from engine.selftest import run_selftest; print(run_selftest().passed)"
    )

    done = subprocess.run(  # noqa: S603  (our own interpreter and code)
        [sys.executable, "-I", "-c", code, str(tmp_path)],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip

    assert done.stdout.strip() == "True", done.stderr
