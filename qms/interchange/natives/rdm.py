"""Write items back as the project data of RDM: into the files that are there, or as new ones."""

from collections.abc import Iterator, Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from qms.interchange.corpus import Corpus, Item, Reference
from qms.interchange.natives.sheets import write_sheet_files
from qms.interchange.natives.yaml_files import There, dump, load, put

_LISTS = {
    "requirement": ("requirements", "id", "title", "description"),
    "specification": ("specification", "id", "title", "description"),
    "risk": ("risks", "id", "hazard", "hazardous_situation"),
    "soup": ("", "title", "title", "purpose"),
}
"""Per kind: the list it stands in, and the keys of its id, title and text."""

_NAMED = frozenset({"unit_test", "integration_test"})


def write(corpus: Corpus, there: There) -> dict[str, bytes]:
    """Return every file with what the items say now."""
    found = write_sheet_files(one for one in corpus.items if one.kind == "hazard")
    by_file: dict[str, list[Item]] = {}
    for item in corpus.items:
        if item.kind != "hazard":
            by_file.setdefault(item.place.file, []).append(item)
    for name, items in by_file.items():
        before = there(name)
        value = load(before, name)
        for item in items:
            value = _put(value, item)
        found[name] = dump(value, before)
    return found


def _put(value: Any, item: Item) -> Any:
    if item.kind in _NAMED:
        value = CommentedMap() if value is None else value
        entry = value.setdefault(item.uid, CommentedMap())
        put(entry, item.fields, {"name": item.title, "note": item.text})
        _links(entry, "req_ids", item.references, always_list=True)
        return value
    if item.kind == "manual_test":
        value = CommentedSeq() if value is None else value
        _manual_test(_entry(value, "name", item.uid), item)
        return value
    key, uid, title, text = _LISTS[item.kind]
    if value is None:
        value = CommentedMap() if key else CommentedSeq()
    entries = value.setdefault(key, CommentedSeq()) if key else value
    if entries is None:
        entries = value[key] = CommentedSeq()
    entry = _entry(entries, uid, item.uid)
    put(entry, item.fields, {uid: item.uid, title: item.title, text: item.text})
    if item.kind == "specification":
        _links(entry, "req_id", item.references, always_list=False)
    return value


def _entry(entries: Any, key: str, uid: str) -> Any:
    for one in entries:
        if str(one.get(key)) == uid:
            return one
    entry = CommentedMap({key: uid})
    entries.append(entry)
    return entry


def _links(entry: Any, key: str, links: Sequence[Reference], *, always_list: bool) -> None:
    targets = [one.target for one in links]
    stated = entry.get(key)
    before = stated.replace(",", " ").split() if isinstance(stated, str) else stated or []
    if [str(one) for one in before] == targets:
        return
    if len(targets) == 1 and not always_list:
        entry[key] = targets[0]
    elif targets or key in entry:
        entry[key] = targets


def _manual_test(entry: Any, item: Item) -> None:
    said: dict[str, Any] = {key: one for key, one in item.fields.items() if key != "steps"}
    put(entry, said, {"name": item.uid, "description": item.text})
    steps = item.fields.get("steps")
    stated = list(_steps(steps if isinstance(steps, list) else []))
    placed = {str(one.get("step", "")) for one in stated}
    rows = entry.setdefault("steps", CommentedSeq())
    for number, step in enumerate(stated):
        if number == len(rows):
            rows.append(CommentedMap())
        links = [
            one
            for one in item.references
            if (name := one.attributes.get("step", "")) == str(step.get("step", ""))
            or (number == 0 and name not in placed)
        ]
        put(rows[number], {key: one for key, one in step.items() if key != "req_ids"}, {})
        _links(rows[number], "req_ids", links, always_list=True)


def _steps(steps: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for one in steps:
        if isinstance(one, dict):
            yield one
