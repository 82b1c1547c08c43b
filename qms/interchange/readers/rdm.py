"""Read the project data of RDM, as the GSTT template lays it out: YAML files and a hazard log."""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from core.located_yaml import Lined
from qms.interchange.corpus import Item, Place, Reference
from qms.interchange.readers.codes import NO_ID, NOT_READ, SHAPE, UNKNOWN
from qms.interchange.readers.files import Files
from qms.interchange.readers.gathering import Gathering, shape_of
from qms.interchange.readers.located import read_located_yaml
from qms.interchange.readers.sheets import HAZARD_LOG, is_hazard_log, read_workbook

ABOVE = {"requirement": (), "specification": ("requirement",)}

_REQUIREMENT_IDS = "req_ids"


@dataclass(frozen=True)
class _Rows:
    """A list of a file, and what its entries become."""

    kind: str
    uid: str = "id"
    title: str = "title"
    text: str = "description"
    keys: frozenset[str] = frozenset()
    links: tuple[str, ...] = ()


_LISTS = {
    ("requirements", "requirements"): _Rows(
        "requirement", keys=frozenset({"type", "specifications", "user_needs"})
    ),
    ("requirements", "specification"): _Rows(
        "specification", keys=frozenset({"type"}), links=("req_id",)
    ),
    ("risk", "risks"): _Rows(
        "risk",
        title="hazard",
        text="hazardous_situation",
        keys=frozenset(
            {
                "software_item",
                "events",
                "harm",
                "severity",
                "probability",
                "control_measures",
                "residual_severity",
                "residual_probability",
                "notes",
            }
        ),
    ),
    ("soup", ""): _Rows(
        "soup",
        uid="title",
        text="purpose",
        keys=frozenset(
            {"manufacturer", "version", "requirements", "verification", "anomaly_reference"}
        ),
    ),
}
"""By the file's name and the key of the list in it."""

_TESTS = {"unit_test_record": "unit_test", "integration_test_record": "integration_test"}
_FILES = frozenset({"requirements", "risk", "soup", "manual_tests", *_TESTS})
_TEST_KEYS = frozenset({"message", "name", "result", _REQUIREMENT_IDS, "note"})
_MANUAL_KEYS = frozenset({"name", "description", "steps"})
_STEP_KEYS = frozenset({"step", "result", _REQUIREMENT_IDS, "note"})


def read(files: Files) -> Gathering:
    """Read the data files below a folder, and the hazard logs beside them."""
    into = Gathering("rdm")
    into.above = dict(ABOVE)
    for name in files.ending(".yml", ".yaml"):
        path = PurePosixPath(name)
        if path.stem in _FILES and path.parent.name in {"data", ""}:
            _file(files, name, path.stem, into)
        elif path.parent.name == "data":
            into.left_out[f"file {path.name}"] += 1
            _meant(Place(name), f"file '{path.stem[:60]}'", path.stem, _FILES, into)
    for name in files.ending(".xlsm", ".xlsx"):
        data = files.data(name, into)
        if data is not None and is_hazard_log(data, name, into):
            for item in read_workbook(data, name, HAZARD_LOG, into):
                into.add(replace(item, kind="hazard"))
    return into


def _file(files: Files, name: str, stem: str, into: Gathering) -> None:
    text = files.text(name, into)
    value = None if text is None else read_located_yaml(text, name, into)
    if value is None:
        return
    if stem in _TESTS:
        for item in _tests(name, _TESTS[stem], value, into):
            into.add(item)
    elif stem == "manual_tests":
        for item in _manual_tests(name, value, into):
            into.add(item)
    elif isinstance(value, Lined):
        for key, entries in value.items():
            rows = _LISTS.get((stem, key))
            if rows is None:
                into.left_out[f"{key} of {PurePosixPath(name).name}"] += 1
                place, lists = Place(name, value.line_of(key)), [one for _, one in _LISTS if one]
                _meant(place, f"list '{key[:60]}'", key, lists, into)
            else:
                _list(name, rows, entries, value.line_of(key), into)
    else:
        rows = _LISTS.get((stem, ""))
        if rows is None:
            what = f"The file holds {shape_of(value)} where a mapping is expected."
            into.fault(SHAPE, Place(name, 1), what)
        else:
            _list(name, rows, value, 1, into)


def _meant(place: Place, what: str, said: str, known: Collection[str], into: Gathering) -> None:
    """Tell of what is left out because it is spelt almost as one that is read."""
    if near := difflib.get_close_matches(said, known, 1, 0.8):
        into.fault(NOT_READ, place, f"There is no {what} in RDM.", f"Did you mean {near[0]}?")


def _list(name: str, rows: _Rows, entries: Any, line: int, into: Gathering) -> None:
    if not isinstance(entries, list):
        what = f"{shape_of(entries).capitalize()} stands where a list of {rows.kind}s is expected."
        if entries is not None:
            into.fault(SHAPE, Place(name, line), what)
        return
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Lined):
            what = f"The {rows.kind} {number} is {shape_of(entry)}, no mapping."
            into.fault(SHAPE, Place(name, line), what, "Write '- id: ...'.")
            continue
        place = Place(name, entry.line_of(rows.uid))
        uid = into.text(entry.get(rows.uid), place, rows.uid)
        if not uid:
            into.fault(NO_ID, place, f"The {rows.kind} {number} has no '{rows.uid}'.", "Give it.")
            continue
        own = {rows.uid, rows.title, rows.text, *rows.links}
        _known(name, entry, own | rows.keys, rows.links, uid, into)
        texts = {
            key: into.text(entry.get(key), Place(name, entry.line_of(key)), key, uid).strip()
            for key in (rows.title, rows.text)
        }
        into.add(
            Item(
                uid=uid,
                kind=rows.kind,
                title=texts[rows.title],
                text=texts[rows.text],
                place=place,
                document=name,
                position=(number,),
                fields={key: value for key, value in entry.items() if key not in own},
                references=tuple(
                    one for key in rows.links for one in _links(name, entry, key, uid, into)
                ),
            )
        )


def _known(
    name: str,
    entry: Lined,
    keys: Collection[str],
    linking: Collection[str],
    uid: str,
    into: Gathering,
) -> None:
    """Name the keys that no version of RDM has; they are taken as fields all the same.

    What stands under a key that was to hold links, as those of `linking`, is no link then.
    """
    for key in entry:
        if key not in keys and (near := difflib.get_close_matches(key, keys, 1, 0.8)):
            code = NOT_READ if near[0] in linking else UNKNOWN
            what = f"'{key[:60]}' of {uid} is no key of RDM."
            place = Place(name, entry.line_of(key))
            into.fault(code, place, what, f"Did you mean {near[0]}?", uid)


def _links(
    name: str, entry: Lined, key: str, uid: str, into: Gathering, **said: str
) -> Iterator[Reference]:
    value = entry.get(key)
    place = Place(name, entry.line_of(key))
    targets = value.replace(",", " ").split() if isinstance(value, str) else value
    if targets is None:
        return
    if not isinstance(targets, list):
        into.fault(SHAPE, place, f"'{key}' of {uid} is {shape_of(value)}, no ids.", uid=uid)
        return
    for target in targets:
        text = into.text(target, place, key, uid).strip()
        if text:
            yield Reference(key, text, place, attributes=said)


def _tests(name: str, kind: str, value: Any, into: Gathering) -> Iterator[Item]:
    """Read a record of tests: a mapping of their names to what came out."""
    if not isinstance(value, Lined):
        into.fault(SHAPE, Place(name, 1), f"The file holds {shape_of(value)}, no tests by name.")
        return
    for number, (uid, entry) in enumerate(value.items(), start=1):
        place = Place(name, value.line_of(uid))
        if not isinstance(entry, Lined):
            into.fault(SHAPE, place, f"The test {uid} is {shape_of(entry)}, no result.", uid=uid)
            continue
        _known(name, entry, _TEST_KEYS, (_REQUIREMENT_IDS,), uid, into)
        yield Item(
            uid=uid,
            kind=kind,
            title=into.text(entry.get("name"), place, "name", uid),
            text=into.text(entry.get("note"), place, "note", uid),
            place=place,
            document=name,
            position=(number,),
            fields={
                key: one
                for key, one in entry.items()
                if key not in {"name", "note", _REQUIREMENT_IDS}
            },
            references=tuple(_links(name, entry, _REQUIREMENT_IDS, uid, into)),
        )


def _manual_tests(name: str, value: Any, into: Gathering) -> Iterator[Item]:
    """Read manual tests: each with steps that have results and name what they verify."""
    if not isinstance(value, list):
        into.fault(SHAPE, Place(name, 1), f"The file holds {shape_of(value)}, no list of tests.")
        return
    for number, entry in enumerate(value, start=1):
        uid = str(entry.get("name") or "") if isinstance(entry, Lined) else ""
        place = Place(name, entry.line_of("name") if isinstance(entry, Lined) else 1)
        if not uid:
            into.fault(NO_ID, place, f"The manual test {number} has no 'name'.", "Give it one.")
            continue
        _known(name, entry, _MANUAL_KEYS, ("steps",), uid, into)
        steps = _steps(name, entry, uid, into)
        yield Item(
            uid=uid,
            kind="manual_test",
            title=uid,
            text=into.text(entry.get("description"), place, "description", uid),
            place=place,
            document=name,
            position=(number,),
            fields={key: one for key, one in entry.items() if key not in _MANUAL_KEYS}
            | {"steps": [dict(one) if isinstance(one, Lined) else one for one in steps]},
            references=tuple(
                link
                for step in steps
                if isinstance(step, Lined)
                for link in _links(
                    name, step, _REQUIREMENT_IDS, uid, into, step=str(step.get("step", ""))
                )
            ),
        )


def _steps(name: str, entry: Lined, uid: str, into: Gathering) -> list[Any]:
    """Return the steps of a manual test; one that cannot name what it verifies is told."""
    steps = entry.get("steps") or []
    place = Place(name, entry.line_of("steps"))
    if _REQUIREMENT_IDS in entry:
        what = f"'{_REQUIREMENT_IDS}' of {uid} stands outside of its steps."
        mend = "Write it in the step that verifies them."
        into.fault(NOT_READ, Place(name, entry.line_of(_REQUIREMENT_IDS)), what, mend, uid)
    if not isinstance(steps, list):
        into.fault(SHAPE, place, f"The steps of {uid} are {shape_of(steps)}.", uid=uid)
        return []
    for number, step in enumerate(steps, start=1):
        if isinstance(step, Lined):
            _known(name, step, _STEP_KEYS, (_REQUIREMENT_IDS,), uid, into)
        else:
            what = f"The step {number} of {uid} is {shape_of(step)}, no mapping."
            into.fault(SHAPE, place, what, "Write '- step: ...'.", uid)
    return steps
