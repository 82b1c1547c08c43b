"""Write items back as the project data of RDM: into the files that are there, or as new ones."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from core.errors import Fault, Invalid
from qms.interchange.corpus import Corpus, Item, Reference
from qms.interchange.natives.sheets import write_sheet_files
from qms.interchange.natives.yaml_files import There, dump, entries, load, put, rows, written

_LISTS = {
    "requirement": ("requirements", "id", "title", "description"),
    "specification": ("specification", "id", "title", "description"),
    "risk": ("risks", "id", "hazard", "hazardous_situation"),
    "soup": ("", "title", "title", "purpose"),
}
"""Per kind: the list it stands in, and the keys of its id, title and text."""

_IDS = "req_ids"
_NAMED = frozenset({"unit_test", "integration_test"})


def write(corpus: Corpus, there: There) -> dict[str, bytes]:
    """Return every file with what the items say now."""
    found = write_sheet_files(one for one in corpus.items if one.kind == "hazard")
    faults: list[Fault] = []
    by_file: dict[str, list[Item]] = {}
    for item in corpus.items:
        if item.kind != "hazard":
            by_file.setdefault(item.place.file, []).append(item)
    for name, items in by_file.items():
        before = there(name)
        try:
            file = _File(name, load(before, name))
            for item in items:
                file.put(item)
            found[name] = dump(file.value, before)
        except Invalid as refusal:
            faults += refusal.faults
    if faults:
        raise Invalid("Nothing was written.", faults)
    return found


class _File:
    """One file while items are put into it."""

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value
        self.known: dict[str, dict[str, CommentedMap]] = {}

    def put(self, item: Item) -> None:
        """Say in the file what an item says."""
        if item.kind in _NAMED:
            self.value = entries(self.value, self.name, "the file")
            entry = self._below(self.value, item.uid, entries)
            put(entry, item.fields, {"name": item.title, "note": item.text})
            _links(entry, _IDS, item.references, always_list=True)
        elif item.kind == "manual_test":
            self.value = rows(self.value, self.name, "the file")
            self._manual_test(self._entry("", self.value, "name", item.uid), item)
        elif item.kind in _LISTS:
            self._listed(item)
        else:
            what = f"cannot be said in rdm: it has no '{item.kind[:80]}'."
            mend = "Write it so that the tool can."
            raise Invalid("Nothing was written.", [Fault("TR345", item.uid, what, mend)])

    def _listed(self, item: Item) -> None:
        key, uid, title, text = _LISTS[item.kind]
        if key:
            self.value = entries(self.value, self.name, "the file")
            listed = self._below(self.value, key, rows)
        else:
            listed = self.value = rows(self.value, self.name, "the file")
        entry = self._entry(key, listed, uid, item.uid)
        put(entry, item.fields, {uid: item.uid, title: item.title, text: item.text})
        if item.kind == "specification":
            _links(entry, "req_id", item.references, always_list=False)

    def _below(self, entry: CommentedMap, key: str, shape: Callable[..., Any]) -> Any:
        """Return what stands under a key; where nothing does it is put there."""
        found = shape(entry.get(key), self.name, f"'{key}'")
        if entry.get(key) is None:
            entry[key] = found
        return found

    def _entry(self, key: str, listed: CommentedSeq, name: str, uid: str) -> CommentedMap:
        if key not in self.known:
            told = f"an entry of '{key}'" if key else "an entry"
            known = self.known[key] = {}
            for one in filter(None, listed):
                entry = entries(one, self.name, told)
                known.setdefault(str(entry.get(name)), entry)
        if uid not in self.known[key]:
            self.known[key][uid] = CommentedMap({name: uid})
            listed.append(self.known[key][uid])
        return self.known[key][uid]

    def _manual_test(self, entry: CommentedMap, item: Item) -> None:
        said: dict[str, Any] = {key: one for key, one in item.fields.items() if key != "steps"}
        put(entry, said, {"name": item.uid, "description": item.text})
        there = self._below(entry, "steps", rows)
        for number, step in enumerate(_steps(linked(item))):
            mapping = isinstance(step, dict)
            if number == len(there):
                there.append(CommentedMap() if mapping else written(step))
            if not mapping:
                continue
            if there[number] is None:
                there[number] = CommentedMap()
            row = entries(there[number], self.name, f"a step of '{item.uid}'")
            put(row, {key: one for key, one in step.items() if key != _IDS}, {})
            same = _IDS in row and _stated(row[_IDS]) == _stated(step.get(_IDS))
            if _IDS in step and not same:
                row[_IDS] = written(step[_IDS])


def linked(item: Item) -> Item:
    """Return a manual test of which the steps name the links that it has now.

    A link that belongs to no step goes with the first one that can name it. Of steps that are
    called alike each keeps what it named, and the last one has all the rest.
    """
    rated = {at: one for at, one in enumerate(_steps(item)) if isinstance(one, dict)}
    if item.kind != "manual_test" or not rated:
        return item
    last = {str(one.get("step", "")): at for at, one in rated.items()}
    left: dict[str | None, list[str]] = {}
    for link in item.references:
        called = link.attributes.get("step", "")
        left.setdefault(called if called in last else None, []).append(link.target)
    steps = list(_steps(item))
    for at, step in rated.items():
        called, stated = str(step.get("step", "")), _stated(step.get(_IDS))
        own = left.get(called, [])
        if at != last[called]:
            own, left[called] = _shared(own, stated or ())
        own = [*own, *left.pop(None, ())]
        # What are no ids is not taken away for links.
        if stated not in (None, own):
            steps[at] = {**step, _IDS: own}
    return replace(item, fields={**item.fields, "steps": steps})


def _steps(item: Item) -> Sequence[Any]:
    steps = item.fields.get("steps")
    return steps if isinstance(steps, list) else ()


def _shared(targets: Sequence[str], stated: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which targets one step stated, and the others."""
    counts = Counter(stated)
    own: list[str] = []
    others: list[str] = []
    for one in targets:
        (own if counts[one] > 0 else others).append(one)
        counts[one] -= 1
    return own, others


def _stated(ids: Any) -> list[str] | None:
    """Return ids that stand under a key of links; None where those are none."""
    found = ids.replace(",", " ").split() if isinstance(ids, str) else ids or []
    if not isinstance(found, list):
        return None
    return [str(one).strip() for one in found if one not in (None, "")]


def _links(entry: Any, key: str, links: Sequence[Reference], *, always_list: bool) -> None:
    targets = [one.target for one in links]
    if _stated(entry.get(key)) == targets:
        return
    if len(targets) == 1 and not always_list:
        entry[key] = targets[0]
    elif targets or key in entry:
        entry[key] = targets
