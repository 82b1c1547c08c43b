"""The map of 10,000 systems and 50,000 connections, against networkx on the same graph."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import networkx as nx
from fastapi.testclient import TestClient

from app.main import create_app
from app.schema import upgrade_database
from app.tables import prepare
from core.db import open_database
from core.people.models import Person
from core.people.service import grant, open_session
from core.records.service import create_project
from core.settings import Settings
from core.web.access import COOKIE
from dataflows import service
from dataflows.coverage import coverage
from dataflows.diagram import to_dot
from dataflows.exploring.layout import layout
from dataflows.exploring.scene import MOST_BOXES, bounded, scene
from dataflows.frame import View
from dataflows.graph import level_view, only_connections
from dataflows.impact import impact_of_system
from dataflows.inventory import Category, Connection, Department, Pathway, Procedure, Step, System
from dataflows.matrix import transfer_matrix
from dataflows.picture import picture
from dataflows.render import DrawingStore
from dataflows.views import Selection, choose
from tests.benchmarks.bench import Row, growth, wall_time

SIZES = (1_000, 10_000)
WAYS = 5
"""Connections for each system."""

WINDOW = slice(0, 200)
STEPS = 10


def _department(systems: int) -> Department:
    """Systems that mostly talk to their neighbours; every tenth is a whole, nine its parts."""
    chance = random.Random(7)
    names = [f"S{number:05d}" for number in range(systems)]
    every = {
        uid: System(uid, f"System {uid}", parent=None if n % 10 == 0 else names[n - n % 10])
        for n, uid in enumerate(names)
    }
    connections = {}
    for number in range(systems * WAYS):
        start = number % systems
        near = (start + 1 + round(abs(chance.gauss(0, 40)))) % systems
        end = near if chance.random() < 0.8 else chance.randrange(systems)
        uid = f"C{number:05d}"
        connections[uid] = Connection(uid, uid, names[start], names[end], Category.DICOM)
    pathways = {
        f"P{n}": Pathway(f"P{n}", f"Pathway {n}", "", _walk(connections, n))
        for n in range(systems // 100)
    }
    procedures = {
        f"QA-{n}": Procedure(f"QA-{n}", f"Procedure {n}", connections=(f"C{n * 2:05d}",))
        for n in range(systems)
    }
    return Department("BIG", every, connections, pathways, procedures)


def _walk(connections: dict[str, Connection], start: int) -> tuple[Step, ...]:
    chosen = list(connections)[start : start + STEPS]
    return tuple(Step(uid, entry=True) for uid in chosen)


def _pathway_svg(department: Department, folder: Path) -> None:
    pathway = next(iter(department.pathways.values()))
    view = level_view(department, department.depth)
    shown = only_connections(view, {step.connection for step in pathway.steps})
    svg = DrawingStore(folder).draw(to_dot(picture(department, shown, pathway.title)))
    if svg.count('class="edge') != STEPS:
        raise RuntimeError(f"the picture has {svg.count('class=')} parts")


def measure() -> Iterator[Row]:
    """Yield what each question costs at the larger size, and how that grew."""
    seconds: dict[str, dict[int, float]] = {}
    peer: dict[int, float] = {}
    for size in SIZES:
        for name, taken in _figures(size):
            if name == PEER:
                peer[size] = taken
            else:
                seconds.setdefault(name, {})[size] = taken
    largest = max(SIZES)
    for name, taken_at in seconds.items():
        yield Row(
            f"map of {largest:,} systems: {name}",
            taken_at[largest],
            "s",
            BUDGETS[name],
            peer=PEER,
            peer_value=peer[largest],
        )
        yield growth(f"map, {name}", taken_at)


PEER = "networkx descendants"
BUDGETS = {
    "impact of one system": 0.1,
    "matrix window 200 x 200": 0.5,
    "coverage": 0.5,
    "one pathway as SVG": 1.0,
    "exploratory picture": 1.0,
    "matrix page of 200 x 200": 0.5,
    "coverage page": 0.5,
    "impact page": 0.5,
    "map page": 1.0,
    "exploratory page": 1.0,
}

PAGES = {
    "matrix page of 200 x 200": "/p/BIG/map/matrix?level=all&size=200",
    "coverage page": "/p/BIG/map/coverage",
    "impact page": "/p/BIG/map/impact/S00000",
    "map page": "/p/BIG/map",
    "exploratory page": "/p/BIG/map/explore",
}
"""Whole answers of the service, to a person who is signed in; the map is read from its records
once, when somebody first asks after a change, and kept with them."""


def _figures(size: int) -> Iterator[tuple[str, float]]:
    department = _department(size)
    start = next(iter(department.systems))
    impact_of_system(department, start)  # indexes of the department are made once
    graph = nx.DiGraph((one.source, one.target) for one in department.connections.values())
    yield PEER, wall_time(lambda: nx.descendants(graph, start))
    yield "impact of one system", wall_time(lambda: impact_of_system(department, start))
    yield (
        "matrix window 200 x 200",
        wall_time(lambda: transfer_matrix(department, department.depth, WINDOW, WINDOW)),
    )
    yield "coverage", wall_time(lambda: coverage(department))
    with tempfile.TemporaryDirectory(prefix="fiducial-bench-") as folder:
        turns = iter(range(100))
        yield (
            "one pathway as SVG",
            wall_time(lambda: _pathway_svg(department, Path(folder) / str(next(turns)))),
        )
        yield (
            "exploratory picture",
            wall_time(lambda: _explored(department, Path(folder) / str(next(turns)))),
        )
        yield from _pages(department, Path(folder))


def _explored(department: Department, folder: Path) -> None:
    shown, left_out = bounded(choose(department, Selection()))
    drawn = shown.picture(department)
    placed = layout(DrawingStore(folder), drawn)
    found = scene(department, View(), shown, drawn, placed, {}, left_out)
    if not left_out or len(found.boxes) > MOST_BOXES:
        raise RuntimeError(f"{len(found.boxes)} boxes are drawn")


def _pages(department: Department, folder: Path) -> Iterator[tuple[str, float]]:
    """Ask a service whose map is this one; only the reading of its records is left out."""
    prepare()
    database = open_database(f"sqlite:///{folder / 'fiducial.db'}")
    upgrade_database(database)
    settings = Settings(data_dir=folder)
    with database.writing() as session:
        project = create_project(session, "BIG", "A large department", None)
        person = Person(username="big", uid="PPL-BIG", name="Bea Igg", password_hash="")
        session.add(person)
        session.flush()
        grant(session, person, ["author"], None, project.id)
        token, _ = open_session(session, person, settings)
    with (
        patch.object(service, "department_from_snapshot", lambda *_: department),
        TestClient(create_app(settings, database), base_url="http://127.0.0.1") as client,
    ):
        client.cookies.set(COOKIE, token)
        for name, address in PAGES.items():
            yield name, wall_time(lambda address=address: _asked(client, address))
    database.engine.dispose()


def _asked(client: TestClient, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered with {answer.status_code}")
