"""Records as Markdown files: 10,000 of them with 40,000 links, read and checked."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.tables import prepare
from core.records.content import Content, LinkDraft
from core.records.types import get_registry
from qms.interchange.markdown.checking import check_folder
from qms.interchange.markdown.folder import read_folder, write_folder
from qms.interchange.markdown.record_file import RecordFile
from tests.benchmarks.bench import Row, cpu_time, growth

SIZES = (1_000, 10_000)
LINKS = 5
"""Of each requirement; every fifth record is a need, so there are four links per record."""

BUDGET_S = 5.0


def _records(size: int) -> list[RecordFile]:
    chance = random.Random(11)
    needs = [f"UN-{number:05d}" for number in range(size // 5)]
    body = "A physicist **needs** it.\n\n- before treatment\n- and after"
    found = [RecordFile("BIG", "user_need", uid, Content(f"Need {uid}", body)) for uid in needs]
    fields = {"category": "interface", "acceptance": "The plan is read. Nothing else is. So be it."}
    for number in range(size - len(needs)):
        links = tuple(LinkDraft("derives_from", uid) for uid in chance.sample(needs, LINKS))
        content = Content(f"Requirement {number}", "It **shall** be read.", fields, links)
        found.append(RecordFile("BIG", "requirement", f"REQ-{number:05d}", content))
    return found


def _whole(folder: Path, size: int) -> None:
    found = read_folder(folder)
    if len(found.records) != size or check_folder(found, get_registry()):
        raise RuntimeError(f"{folder} does not hold {size} records without a fault")


def _first_lines(folder: Path) -> None:
    """Read every byte, and look for the front matter alone: the floor below any reader."""
    for path in folder.rglob("*.md"):
        path.read_bytes().split(b"\n---\n", 1)


def measure() -> Iterator[Row]:
    """Yield what a check costs at the larger size, and how that grew."""
    prepare()
    seconds: dict[int, float] = {}
    floor = 0.0
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_folder(folder, _records(size), get_registry())
            seconds[size] = cpu_time(lambda at=folder, of=size: _whole(at, of))  # type: ignore[misc]
            floor = cpu_time(lambda at=folder: _first_lines(at))  # type: ignore[misc]
    largest = max(SIZES)
    name = f"{largest:,} records as files, read and checked"
    yield Row(name, seconds[largest], "CPU s", BUDGET_S, peer="the bytes read", peer_value=floor)
    yield growth("records as files", seconds)
