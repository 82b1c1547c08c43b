"""Write items back as `.sdoc`: nodes in their sections, with their fields and relations.

Grammars and documents that take in others are not imported, and so not written.
"""

from collections.abc import Mapping, Sequence

from qms.interchange.corpus import Corpus, Item

_FIRST = ("MID", "UID", "VERSION", "DATE", "CLASSIFICATION", "PREFIX", "REQ_PREFIX", "LEVEL",
          "STATUS", "TAGS", "TITLE", "STATEMENT", "CONTENT", "RATIONALE", "COMMENT")  # fmt: skip
"""The order that StrictDoc's own grammar has; further fields stand behind it as they are named."""

_DOCUMENT = ("MID", "TITLE", "UID")
_MAPPINGS = frozenset({"OPTIONS", "METADATA"})


def write(corpus: Corpus) -> dict[str, bytes]:
    """Return every file with what the items say now."""
    by_file: dict[str, list[Item]] = {}
    for item in corpus.items:
        by_file.setdefault(item.place.file, []).append(item)
    return {name: _file(items) for name, items in by_file.items()}


def _file(items: Sequence[Item]) -> bytes:
    ordered = sorted(items, key=lambda one: one.position)
    parents = {one.position[:-1] for one in ordered if one.position}
    blocks: list[str] = []
    opened: list[Item] = []
    for item in ordered:
        while opened and item.position[: len(opened[-1].position)] != opened[-1].position:
            blocks.append(f"[[/{opened.pop().kind}]]")
        nests = item.kind == "SECTION" or (item.kind != "DOCUMENT" and item.position in parents)
        if item.kind == "FREETEXT":
            blocks.append(f"[FREETEXT]\n{item.text}\n[/FREETEXT]")
            continue
        head = f"[[{item.kind}]]" if nests else f"[{item.kind}]"
        blocks.append("\n".join([head, *_lines(item)]))
        if nests:
            opened.append(item)
    blocks += [f"[[/{one.kind}]]" for one in reversed(opened)]
    return ("\n\n".join(blocks) + "\n").encode()


def _lines(item: Item) -> list[str]:
    said: dict[str, object] = dict(item.fields)
    if item.title:
        said["TITLE"] = item.title
    if item.text and said.get("CONTENT") != item.text:
        said["STATEMENT"] = item.text
    order = _DOCUMENT if item.kind == "DOCUMENT" else _FIRST
    names = [one for one in order if one in said]
    names += [one for one in _FIRST if one in said and one not in names]
    names += sorted(said.keys() - set(names) - _MAPPINGS)
    # What is a mapping reads up to the first line that is not drawn in.
    names += sorted(said.keys() & _MAPPINGS)
    lines: list[str] = []
    for name in names:
        lines += _field(name, said[name])
    if item.references:
        lines.append("RELATIONS:")
    for one in item.references:
        lines += [f"- TYPE: {one.role}", f"  VALUE: {one.target}"]
        lines += [f"  {key}: {value}" for key, value in one.attributes.items()]
    return lines


def _field(name: str, value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{name}:", *(f"  {key}: {one}" for key, one in value.items())]
    text = str(value)
    if "\n" in text or text.startswith(">>>"):
        return [f"{name}: >>>", *text.split("\n"), "<<<"]
    return [f"{name}: {text}" if text else f"{name}:"]
