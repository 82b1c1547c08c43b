"""Our own register of third-party components agrees with our lock file and with our code."""

import ast
import re
import tomllib
from importlib.metadata import packages_distributions

from core.records.snapshot import Key
from qms.soup.comparison import Code
from qms.soup.components import normal_name
from tests.qms.soup.conftest import PROJECT, ROOT, own_register, read

NOT_IMPORTED = {
    "core": {
        "psycopg": "the driver that a postgresql:// address names",
        "python-multipart": "how FastAPI reads forms",
        "weasyprint": "imported at first use, by name: it fails where Pango is absent",
    },
    "dataflows": {"six": "plantuml imports it and does not ask for it"},
}
"""What a part uses without an import, as pyproject.toml says too."""


def test_our_register_says_what_our_lock_file_pins(lock_text) -> None:
    register = own_register(evaluated=False)

    result = register.compare(read(lock_text))

    unevaluated = {
        one.key.uid
        for one in register.records.values()
        if one.type == "soup" and not one.fields.get("evaluated_on")
    }
    mismatches = [str(one.sentence) for one in result.disagreements if one.code != Code.OVERDUE]
    assert mismatches == []
    # Nobody is said to have read a list that nobody read: those entries are named, and no others.
    assert {one.subject for one in result.disagreements} <= unevaluated
    assert len(unevaluated - {one.subject for one in result.disagreements}) == 0
    assert result.not_sought == ()


def test_our_register_names_every_dependency_of_the_project_and_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {
        normal_name(re.split(r"[\[<>=!~;\s]", each, maxsplit=1)[0])
        for each in project["dependencies"]
    }

    titles = {
        one.title for one in own_register(evaluated=True).records.values() if one.type == "soup"
    }

    assert titles == asked


def test_our_register_says_which_part_of_the_product_uses_what() -> None:
    register = own_register(evaluated=True)
    paths = {
        one.fields["path"]: one.key
        for one in register.records.values()
        if one.type == "software_item" and one.fields["kind"] != "system"
    }

    stated = {
        path: {register.records[link.target].title for link in register.links if link.source == key}
        for path, key in paths.items()
    }

    imported = {path: imports_of(path) | NOT_IMPORTED.get(path, {}).keys() for path in paths}
    assert Key(PROJECT, "SI-CORE") == paths["core"]
    assert stated == imported


def imports_of(folder: str) -> set[str]:
    """Return the packages that the code of a folder imports."""
    known = packages_distributions()
    found: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        if "device" in path.relative_to(ROOT).parts:
            continue  # the demo device's own repository
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                modules = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module]
            else:
                continue
            for module in modules:
                for name in known.get(module.split(".")[0], ()):
                    found.add(normal_name(name))
    return found
