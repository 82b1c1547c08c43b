"""The department map by command, held to the file it was loaded from, read with nothing of ours."""

import csv
import html
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.demonstration import BuiltDemo
from tests.journeys.command_line import fiducial
from tests.peers import need

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"]] !include /etc/passwd <b>'

FIGURES = {
    "0": (26, 59, {"dicom": 32, "file": 13, "other": 14}),
    "all": (51, 91, {"dicom": 38, "file": 16, "other": 37}),
}
"""Level of the map: systems, routes, and routes by category."""

Route = tuple[str, str, str]


@dataclass(frozen=True)
class Stated:
    """What the department's file says: connections, and which system belongs to which."""

    connections: dict[str, Route]
    parents: dict[str, str | None]
    names: dict[str, str]

    def top(self, uid: str) -> str:
        """Return the major system that a part belongs to."""
        parent = self.parents[uid]
        return uid if parent is None else self.top(parent)

    def systems(self, level: str) -> set[str]:
        """Return the boxes of a map: major systems, or what has no parts."""
        if level == "0":
            return {uid for uid, parent in self.parents.items() if parent is None}
        return set(self.parents) - set(self.parents.values())

    def routes(self, level: str) -> dict[Route, set[str]]:
        """Return each line of a map with the connections it stands for."""
        found: dict[Route, set[str]] = {}
        for uid, (source, target, category) in self.connections.items():
            ends = (self.top(source), self.top(target)) if level == "0" else (source, target)
            # Within one major system nothing is drawn on the map of major systems.
            if ends[0] != ends[1]:
                found.setdefault((*ends, category), set()).add(uid)
        return found


@pytest.fixture(scope="module")
def stated() -> Stated:
    """The demonstration's department file."""
    held = YAML(typ="safe", pure=True).load(ROOT / "app/demo/department.yaml")
    return Stated(
        {one["id"]: (one["source"], one["target"], one["category"]) for one in held["connections"]},
        {one["id"]: one["parent"] for one in held["systems"]},
        {one["id"]: one["name"] for one in held["systems"]},
    )


def flows(demo: BuiltDemo, folder: Path, *arguments: str) -> str:
    """Return what a command writes; only who drew a picture may be told beside it."""
    done = fiducial("flows", *arguments, folder=folder, data_dir=demo.data_dir)
    drawn = arguments[0] == "diagram" and "--format" not in arguments
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Drawn by Graphviz \d+(\.\d+)*\.\n" if drawn else "", done.stderr)
    return done.stdout


def named(picture: ET.Element, kind: str) -> list[str]:
    """Return the name of every box or line of a picture."""
    groups = [one for one in picture.iter(f"{SVG}g") if one.get("class") == kind]
    return [one.findtext(f"{SVG}title") or "" for one in groups]


def test_the_counts_are_those_of_the_file(
    built_demo: BuiltDemo, stated: Stated, tmp_path: Path
) -> None:
    said = json.loads(flows(built_demo, tmp_path, "counts", "--json"))

    assert {
        one["level"]: (one["systems"], one["routes"], one["categories"]) for one in said
    } == FIGURES
    for level, (systems, routes, categories) in FIGURES.items():
        drawn = stated.routes(level)
        assert (len(stated.systems(level)), len(drawn)) == (systems, routes)
        assert Counter(category for *_, category in drawn) == categories


def test_the_counts_are_told_in_words(built_demo: BuiltDemo, tmp_path: Path) -> None:
    assert flows(built_demo, tmp_path, "counts").splitlines() == [
        "level 0: 26 systems, 59 routes (32 dicom, 13 file, 14 other)",
        "level all: 51 systems, 91 routes (38 dicom, 16 file, 37 other)",
    ]


@pytest.mark.parametrize("level", ["0", "all"])
def test_the_picture_holds_exactly_the_systems_and_connections_of_the_file(
    built_demo: BuiltDemo, stated: Stated, tmp_path: Path, level: str
) -> None:
    need("graphviz")
    drawn = flows(built_demo, tmp_path, "diagram", "--level", level)
    picture = ET.fromstring(drawn)  # noqa: S314 - our own picture

    boxes = [name.rpartition(" ")[2] for name in named(picture, "node")]
    lines = [re.fullmatch(r"([A-Z0-9 ]+): (\S+) to (\S+)", one) for one in named(picture, "edge")]

    assert sorted(boxes) == sorted(stated.systems(level))
    assert len(lines) == FIGURES[level][1]
    found: Counter[tuple[str, str, frozenset[str]]] = Counter()
    for line in lines:
        assert line is not None
        connections, source, target = line.groups()
        found[source, target, frozenset(connections.split())] += 1
    assert found == Counter(
        (source, target, frozenset(uids))
        for (source, target, _), uids in stated.routes(level).items()
    )


@pytest.mark.parametrize("level", ["0", "all"])
def test_the_plantuml_text_holds_the_same(
    built_demo: BuiltDemo, stated: Stated, tmp_path: Path, level: str
) -> None:
    text = flows(built_demo, tmp_path, "diagram", "--level", level, "--format", "plantuml")

    told = re.findall(r"^' ([A-Z0-9 ]+)&#58; (\S+) to (\S+)$", text, re.MULTILINE)
    arrows = re.findall(r"^s\d+ -.*-> s\d+ ", text, re.MULTILINE)

    assert len(arrows) == FIGURES[level][1]
    assert Counter(
        (html.unescape(source), html.unescape(target), frozenset(connections.split()))
        for connections, source, target in told
    ) == Counter(
        (source, target, frozenset(uids))
        for (source, target, _), uids in stated.routes(level).items()
    )


@pytest.mark.parametrize("level", ["0", "all"])
def test_the_matrix_holds_the_same(
    built_demo: BuiltDemo, stated: Stated, tmp_path: Path, level: str
) -> None:
    rows = list(csv.reader(io.StringIO(flows(built_demo, tmp_path, "matrix", "--level", level))))
    heading, found = rows[0][1:], {}
    for source, *cells in rows[1:]:
        for target, cell in zip(heading, cells, strict=True):
            for category, uids in re.findall(r"(dicom|file|other) ((?:C\d+ ?)+)", cell):
                found[source, target, category] = set(uids.split())

    assert set(heading) == stated.systems(level)
    assert found == stated.routes(level)


def test_a_hostile_name_stands_literally_in_every_form(
    demo_copy: BuiltDemo, tmp_path: Path
) -> None:
    """No PlantUML command, no markup and no file comes of a name that asks for all three."""
    need("graphviz")
    file = tmp_path / "hostile.yaml"
    system = {"id": "HOSTILE", "name": HOSTILE, "kind": "archive", "parent": None}
    with file.open("w") as written:
        YAML().dump(
            {
                "schema": "dataflows/2",
                "department": {"id": "h", "name": "Hostile"},
                "systems": [{**system, "owner": "Physics", "criticality": "low"}],
                "connections": [],
                "pathways": [],
            },
            written,
        )
    done = fiducial(
        *("import", "department", file, "--into", "DEPT", "--as", "PPL-AK"),
        folder=tmp_path,
        data_dir=demo_copy.data_dir,
    )
    assert done.returncode == 0, done.stderr

    drawn = flows(demo_copy, tmp_path, "diagram")
    picture = ET.fromstring(drawn)  # noqa: S314 - our own picture
    text = flows(demo_copy, tmp_path, "diagram", "--format", "plantuml")
    dot = flows(demo_copy, tmp_path, "diagram", "--format", "dot")

    assert f"{HOSTILE} HOSTILE" in named(picture, "node")
    assert {one.tag.removeprefix(SVG) for one in picture.iter()} <= {
        *("svg", "g", "title", "a", "path", "polygon", "polyline", "ellipse", "text"),
    }
    [box] = [line for line in text.splitlines() if "HOSTILE" in line and "rectangle" in line]
    shown = re.fullmatch(r'rectangle "(.*)" as s\d+ \[\[/p/DEPT/HOSTILE\]\]', box)
    assert shown is not None
    assert html.unescape(shown[1]).replace("\\n", " ") == f"{HOSTILE} HOSTILE"
    # Beside the two ends of the text, a line that commands PlantUML would begin with one of these.
    assert [line for line in text.splitlines() if line.lstrip()[:1] in "!@"] == [
        "@startuml",
        "@enduml",
    ]
    for said in (drawn, text, dot):
        assert "root:" not in said
