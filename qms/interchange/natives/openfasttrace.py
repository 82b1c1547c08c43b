"""Write items back as Markdown of OpenFastTrace, each below its heading.

Only items are imported; the prose between them is not, so a heading of which no item was read has
no words of its own here.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from core.errors import Fault, Invalid
from core.records.snapshot import natural_order
from qms.interchange.corpus import Corpus, Item, Reference
from qms.interchange.readers.gathering import MOST_ITEMS
from qms.interchange.readers.openfasttrace import COVERS, DEPENDS

EMPTY = "..."
"""A heading that held no item."""

MOST_BLOCKS = 2 * MOST_ITEMS
"""Of one file: each item, and as many headings."""

_TEXTS = ("Status", "Rationale", "Comment")
_LISTS = ("Needs", "Tags")


def write(corpus: Corpus) -> dict[str, bytes]:
    """Return every file with what the items say now."""
    revisions = {one.uid: one.revision or "" for one in corpus.items}
    by_file: dict[str, list[Item]] = {}
    for item in corpus.items:
        by_file.setdefault(item.place.file, []).append(item)
    return {name: _file(items, revisions) for name, items in by_file.items()}


def _file(items: Sequence[Item], revisions: Mapping[str, str]) -> bytes:
    blocks: list[str] = []
    at: list[int] = []
    for item in sorted(items, key=lambda one: (one.position, natural_order(one.uid))):
        blocks += islice(_headings(at, item), MOST_BLOCKS)
        blocks.append(_item(item, revisions))
        if len(blocks) > MOST_BLOCKS:
            what = f"has items so far apart that more than {MOST_BLOCKS:,} headings would stand"
            fault = Fault("TR345", item.uid, f"{what} before this one.")
            raise Invalid("Nothing was written.", [fault])
    return ("\n\n".join(blocks) + "\n").encode()


def _headings(at: list[int], item: Item) -> Iterator[str]:
    """Go through the headings that lead to the place of an item, and go there."""
    place = list(item.position)
    for depth, number in enumerate(place, start=1):
        if len(at) >= depth and at[: depth - 1] != place[: depth - 1]:
            del at[depth - 1 :]
        if number == 0:
            at[:] = [*at, 0][:depth] if len(at) < depth else at
            continue
        while len(at) < depth or at[depth - 1] < number:
            at[:] = [*at, 0][:depth] if len(at) < depth else at[:depth]
            at[depth - 1] += 1
            own = depth == len(place) and at[depth - 1] == number and item.title
            yield f"{'#' * depth} {item.title if own else EMPTY}"
    del at[len(place) :]


def _item(item: Item, revisions: Mapping[str, str]) -> str:
    covers = [one for one in item.references if one.role == COVERS]
    needs = item.fields.get("Needs")
    if not item.title and len(covers) == 1 and isinstance(needs, tuple) and not item.text:
        return f"{item.kind} --> {', '.join(map(str, needs))} : {_id(covers[0], revisions)}"
    blocks = [f"`{item.uid}~{item.revision}`"]
    blocks += [item.text] if item.text else []
    for name in _TEXTS:
        if text := str(item.fields.get(name, "")):
            blocks.append(f"{name}: {text}" if "\n" not in text else f"{name}:\n\n{text}")
    for role, heading in ((COVERS, "Covers"), (DEPENDS, "Depends")):
        links = [f"* `{_id(one, revisions)}`" for one in item.references if one.role == role]
        blocks += ["\n".join([f"{heading}:", "", *links])] if links else []
    for name in _LISTS:
        listed = item.fields.get(name)
        if isinstance(listed, tuple):
            blocks.append(f"{name}: {', '.join(map(str, listed))}".rstrip())
    return "\n\n".join(blocks)


def _id(one: Reference, revisions: Mapping[str, str]) -> str:
    return f"{one.target}~{one.stated or revisions.get(one.target) or '0'}"
