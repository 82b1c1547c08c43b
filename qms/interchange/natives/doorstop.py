"""Write items back as Doorstop keeps them: a YAML file each, with the settings of its document."""

import re
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import LiteralScalarString

from core.errors import Fault, Invalid
from qms.interchange.corpus import Corpus, Item
from qms.interchange.mapping.origin import plain
from qms.interchange.natives.yaml_files import There, dump, entries, load, put, rows, written
from qms.interchange.readers.doorstop import SETTINGS

_NUMBER = re.compile(r"([^0-9A-Za-z]*)(\d+)$")


def write(corpus: Corpus, there: There) -> dict[str, bytes]:
    """Return the file of each item, the settings of new documents and what items carry."""
    found: dict[str, bytes] = {}
    faults: list[Fault] = []
    carried = {one.name: one.data for item in corpus.items for one in item.attached}

    def before(name: str) -> bytes | None:
        # An item may carry the file of another one.
        return there(name) or carried.get(name)

    for item in corpus.items:
        name = item.place.file
        settings = str(PurePosixPath(name).with_name(SETTINGS))
        if there(name) is not None and there(settings) is None:
            what = f"is there already, and without a {SETTINGS} beside it is no item of Doorstop."
            faults.append(Fault("TR342", name, what, "Name the folder that was imported."))
            continue
        try:
            found[name] = _item(item, before(name))
        except Invalid as refusal:
            faults += refusal.faults
        if settings not in found:
            above = corpus.above.get(item.document, ())
            found[settings] = before(settings) or _settings(item, above)
    if faults:
        raise Invalid("Nothing was written.", faults)
    return carried | found


def _settings(item: Item, above: tuple[str, ...]) -> bytes:
    number = _NUMBER.search(item.uid.removeprefix(item.document))
    said: dict[str, Any] = {
        "digits": len(number[2]) if number else 3,
        **({"parent": above[0]} if above else {}),
        "prefix": item.document,
        "sep": number[1] if number else "",
    }
    return dump({"settings": said})


def _item(item: Item, before: bytes | None) -> bytes:
    name = item.place.file
    stood = load(before, name)
    entry = entries(stood, name, "the file")
    fields = {key: one for key, one in item.fields.items() if key != "level"}
    texts = {"header": item.title, "text": item.text}
    links: list[Any] = [
        {one.target: one.stated} if one.stated else one.target for one in item.references
    ]
    if stood is None:
        level = str(item.fields.get("level", ""))
        # Doorstop keeps both as blocks, also where one line would do.
        blocks = {key: LiteralScalarString(f"{one}\n") if one else "" for key, one in texts.items()}
        said = {**blocks, **fields, "level": _level(level), "links": links}
        names = sorted(said.keys() - ({"level"} if not level else set()))
        entry = CommentedMap(
            {key: said[key] if key in blocks else written(said[key]) for key in names}
        )
    put(entry, fields, texts)
    if _stated(rows(entry.get("links"), name, "'links'")) != links:
        entry["links"] = links
    return dump(entry, before, offset=0)


def _stated(links: Any) -> list[Any]:
    """Return links as they are written: one whose stamp is empty states none."""
    return [
        next(iter(one), "") if isinstance(one, dict) and not any(one.values()) else one
        for one in plain(links)
    ]


def _level(level: str) -> float | int | str:
    """Return a level as a number where that says it whole: 1.10 is not 1.1."""
    if re.fullmatch(r"\d+\.\d+", level, re.ASCII) and str(float(level)) == level:
        return float(level)
    return int(level) if re.fullmatch(r"0|[1-9]\d{0,14}", level, re.ASCII) else level
