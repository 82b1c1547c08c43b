"""Write items back as the project data of RDM: into the files that are there, or as new ones."""

from collections.abc import Callable, Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from core.errors import Fault, Invalid
from qms.interchange.corpus import Corpus, Item, Reference
from qms.interchange.natives.sheets import write_sheet_files
from qms.interchange.natives.yaml_files import There, dump, entries, load, put, rows

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
            _links(entry, "req_ids", item.references, always_list=True)
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
        steps = item.fields.get("steps")
        stated = steps if isinstance(steps, list) else []
        rated = {at: one for at, one in enumerate(stated) if isinstance(one, dict)}
        placed = {str(one.get("step", "")) for one in rated.values()}
        links: dict[str | None, list[int]] = {}
        for place, one in enumerate(item.references):
            name = one.attributes.get("step", "")
            # What belongs to no step goes with the first one that can name it.
            links.setdefault(name if name in placed else None, []).append(place)
        first = min(rated, default=0)
        written = self._below(entry, "steps", rows)
        for number, step in enumerate(stated):
            if number == len(written):
                written.append(CommentedMap() if number in rated else step)
            if number not in rated:
                continue
            if written[number] is None:
                written[number] = CommentedMap()
            row = entries(written[number], self.name, f"a step of '{item.uid}'")
            put(row, {key: one for key, one in step.items() if key != "req_ids"}, {})
            own = links.get(str(step.get("step", "")), [])
            own = sorted([*own, *links.get(None, ())]) if number == first else own
            _links(row, "req_ids", [item.references[one] for one in own], always_list=True)


def _links(entry: Any, key: str, links: Sequence[Reference], *, always_list: bool) -> None:
    targets = [one.target for one in links]
    stated = entry.get(key)
    before = stated.replace(",", " ").split() if isinstance(stated, str) else stated or []
    if isinstance(before, list) and [str(one) for one in before] == targets:
        return
    if len(targets) == 1 and not always_list:
        entry[key] = targets[0]
    elif targets or key in entry:
        entry[key] = targets
