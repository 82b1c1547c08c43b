"""Which records a change throws doubt on, walked by hand over the demonstration's own files.

Nothing of the product takes part: the file of the design record says which links there are, the
files of the record types say whose end suffers. Held against the pages by the journeys.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
DEVICE = ROOT / "app" / "demo" / "project.yaml"
DEPARTMENT = ROOT / "app" / "demo" / "department.yaml"
TYPES = ROOT / "qms" / "types"

STATED = {
    "requirements": {
        "derives_from": "derives_from",
        "allocated_to": "allocated_to",
        "risk_control": "mitigates",
        "stated_in": "stated_in",
    },
    "designs": {"implements": "designs", "satisfies": "satisfies"},
    "tests": {
        "verifies": "verifies",
        "validates": "validates",
        "data": "data",
        "users": "performed_by",
    },
    "software_items": {"parent": "part_of", "uses": "uses", "owner": "owned_by"},
    "risks": {"items": "involves", "owner": "owned_by"},
    "datasets": {"split_from": "split_from", "disjoint_from": "disjoint_from"},
    "change_requests": {"impacts": "impacts", "verified_by": "verified_by"},
    "problem_reports": {"affects": "affects", "plan": "planned_for"},
}
"""Key of an entry to the role of the link it states, by section of the file."""

TYPE_OF = {
    "requirements": "requirement",
    "designs": "design",
    "tests": "test",
    "software_items": "software_item",
    "risks": "risk",
    "datasets": "dataset",
    "change_requests": "change",
    "problem_reports": "problem",
}

NOT_IN_FORCE = {"planned", "draft", "in_review"}


class Stated(NamedTuple):
    """One link, as the file states it."""

    source: str
    role: str
    target: str


def read(path: Path) -> Any:
    """Return a YAML file as plain values."""
    return YAML(typ="safe", pure=True).load(path)


def one_or_many(value: Any) -> list[str]:
    """Return uids without the revision that some of them name (`X@2`)."""
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return [str(one).split("@")[0] for one in listed]


def links(device: Any) -> Iterator[Stated]:
    """Yield every link between the records of the device."""
    for section, keys in STATED.items():
        for entry in device[section]:
            for key, role in keys.items():
                for target in one_or_many(entry.get(key)):
                    yield Stated(entry["id"], role, target)
    for risk in device["risks"]:
        for test in one_or_many(risk.get("effectiveness")):
            yield Stated(test, "verifies", risk["id"])


def suffering_ends() -> dict[tuple[str, str], str]:
    """Return whose end suffers, by type of the source and role: source, target, both or none."""
    kinds = [read(path) for path in sorted(TYPES.glob("*.yaml"))]
    return {
        (kind["type"], role): link["suspect"]
        for kind in kinds
        for role, link in kind["links"].items()
    }


def doubted_by(uid: str) -> set[str]:
    """Return the records that need re-review once a change of `uid` is in force."""
    device, ends = read(DEVICE), suffering_ends()
    sections = {entry["id"]: name for name in STATED for entry in device[name]}
    state = {
        entry["id"]: entry.get("state", device["defaults"]["state"])
        for entries in device.values()
        if isinstance(entries, list)
        for entry in entries
        if isinstance(entry, dict) and "id" in entry
    }
    doubted = set()
    for link in links(device):
        end = ends[TYPE_OF[sections[link.source]], link.role]
        if link.target == uid and end in ("source", "both"):
            doubted.add(link.source)
        if link.source == uid and end in ("target", "both"):
            doubted.add(link.target)
    return {one for one in doubted if state[one] not in NOT_IN_FORCE}


def requirements_beside(uids: set[str]) -> set[str]:
    """Return the rows in which the matrix of requirements shows one of some records.

    Each is one of `uids` itself, or a need, an item or a test of `uids` belongs to it.
    """
    found = set()
    for link in links(read(DEVICE)):
        if link.role in ("derives_from", "allocated_to") and link.target in uids:
            found.add(link.source)
        if link.role == "verifies" and link.source in uids and link.target.startswith("REQ-"):
            found.add(link.target)
    return found | {uid for uid in uids if uid.startswith("REQ-")}
