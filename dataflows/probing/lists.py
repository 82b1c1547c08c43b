"""Read the destinations that a system says it has: a CSV export, or JSON as Orthanc writes it.

Pure. Every fault is named at once with its line; with one fault nothing is read.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import Fault, Invalid
from core.located_yaml import Lined, LocatedYaml, read_yaml
from dataflows.probing.associations import is_ae_title

LARGEST_BYTES = 500_000
MOST_DESTINATIONS = 2_000
"""A regional archive has some hundreds."""

COLUMNS: Mapping[str, frozenset[str]] = {
    "ae": frozenset({"ae", "aet", "ae title", "aetitle", "ae_title", "title", "called ae"}),
    "host": frozenset({"host", "hostname", "host name", "ip", "ip address", "address", "server"}),
    "port": frozenset({"port", "tcp port", "port number"}),
    "name": frozenset({"name", "destination", "description", "node", "device", "symbolic name"}),
}
"""What a column or key means, in the words that exports use."""

NAMES: Mapping[str, str] = {"ae": "AE title", "host": "host", "port": "port", "name": "name"}

NEEDED = ("ae", "host", "port")

FORM = "It needs the columns AE title, host and port; a name may stand beside them."


@dataclass(frozen=True, slots=True)
class Destination:
    """One line of a list: where a system sends to, or whom it asks."""

    name: str
    ae: str
    host: str
    port: int
    line: int

    @property
    def told(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "name": self.name,
            "ae": self.ae,
            "host": self.host,
            "port": self.port,
            "line": self.line,
        }


Raw = tuple[int, Mapping[str, Any]]
"""The line of a destination, and what it says by "name", "ae", "host" and "port"."""


def read_list(content: bytes, name: str) -> tuple[Destination, ...]:
    """Read a destination list.

    Raises
    ------
    Invalid
        With every fault and its line.
    """
    if len(content) > LARGEST_BYTES:
        raise _refused([Fault("DST01", name, f"holds more than {LARGEST_BYTES} bytes.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused([Fault("DST02", name, "is not text in UTF-8.", "Save it so.")]) from None
    faults: list[Fault] = []
    is_json = text.lstrip()[:1] in ("{", "[")
    rows = list(_json(text, name, faults) if is_json else _csv(text, name, faults))
    found = [one for line, row in rows if (one := _destination(line, row, name, faults))]
    faults += _twice(found, name)
    if not rows and not faults:
        faults.append(Fault("DST03", name, "names no destination.", FORM))
    if len(rows) > MOST_DESTINATIONS:
        faults.append(Fault("DST01", name, f"names more than {MOST_DESTINATIONS} destinations."))
    if faults:
        raise _refused(faults)
    return tuple(found)


def _refused(faults: list[Fault]) -> Invalid:
    return Invalid("This destination list was not read.", faults)


def _csv(text: str, name: str, faults: list[Fault]) -> Iterator[Raw]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    headings: list[str] = []
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if not headings:
                headings = [_meaning(cell) for cell in cells]
                where = f"{name}:{lines.line_num}"
                lacking = [one for one in NEEDED if one not in headings]
                against = _ambiguous(cells, where)
                if lacking:
                    what = f"has no column for {', '.join(lacking)}."
                    against.append(Fault("DST04", where, what, FORM))
                if against:
                    faults += against
                    return
                continue
            where = f"{name}:{lines.line_num}"
            if len(cells) > len(headings):
                faults.append(Fault("DST05", where, "has more cells than there are headings."))
                continue
            yield lines.line_num, dict(zip(headings, cells, strict=False))
    except csv.Error as error:
        faults.append(Fault("DST05", f"{name}:{lines.line_num}", f"cannot be read: {error}."))


def _meaning(heading: str) -> str:
    bare = " ".join(heading.replace("_", " ").strip().lower().split())
    return next((one for one, words in COLUMNS.items() if bare in words), bare)


def _ambiguous(headings: Iterable[str], where: str) -> list[Fault]:
    """Name the columns, or the keys of a destination, of which one would hide the other."""
    words: dict[str, list[str]] = {}
    for heading in headings:
        words.setdefault(_meaning(heading), []).append(heading.strip()[:40])
    mend = "Keep the one that counts."
    return [
        Fault("DST14", where, f"says the {NAMES[one]} twice: {' and '.join(words[one])}.", mend)
        for one in COLUMNS
        if len(words.get(one, ())) > 1
    ]


def _json(text: str, name: str, faults: list[Fault]) -> Iterator[Raw]:
    # JSON may be indented with tabs, which YAML does not allow; in its strings there are none.
    document, spelling = read_yaml(text.replace("\t", " "), name)
    faults += spelling
    if spelling:
        return
    value = document.value
    if isinstance(value, Mapping) and isinstance(value.get("DicomModalities"), Mapping):
        path: tuple[str | int, ...] = ("DicomModalities",)
        value = value["DicomModalities"]
    else:
        path = ()
    if isinstance(value, Mapping) and _is_one(value):
        value = [value]
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, one in items:
        line = _line(document, (*path, key))
        row = _row(one, str(key) if isinstance(key, str) else "")
        if row is None:
            what = f"{str(key)[:40]!r} is no destination."
            mend = 'Write it as ["AE", "host", 104] or {"AET": "AE", "Host": "host", "Port": 104}.'
            faults.append(Fault("DST06", f"{name}:{line}", what, mend))
        elif isinstance(one, Mapping) and (against := _ambiguous(one, f"{name}:{line}")):
            faults += against
        else:
            yield line, row


def _is_one(value: Mapping[str, Any]) -> bool:
    return "ae" in {_meaning(key) for key in value} and not any(
        isinstance(one, (Mapping, list)) for one in value.values()
    )


def _line(document: LocatedYaml, path: tuple[str | int, ...]) -> int:
    return int(document.where(path).rpartition(":")[2])


def _row(one: Any, key: str) -> Mapping[str, Any] | None:
    if isinstance(one, list) and len(one) >= len(NEEDED):
        return {"name": key, **dict(zip(NEEDED, one, strict=False))}
    if isinstance(one, Lined):
        said = {_meaning(word): value for word, value in one.items()}
        return {"name": key, **said}
    return None


def _destination(
    line: int, row: Mapping[str, Any], name: str, faults: list[Fault]
) -> Destination | None:
    where = f"{name}:{line}"
    ae, host = (_text(row.get(one)) for one in ("ae", "host"))
    found = []
    if not is_ae_title(ae):
        mend = "It has 1 to 16 characters, without a backslash."
        found.append(Fault("DST07", where, f"{ae[:40]!r} is no AE title.", mend))
    if not host or len(host) > 253 or any(c.isspace() or not c.isprintable() for c in host):
        found.append(Fault("DST08", where, f"{host[:40]!r} is no host."))
    port = _port(row.get("port"))
    if port is None:
        found.append(Fault("DST09", where, f"{_text(row.get('port'))[:20]!r} is no port."))
    faults += found
    if found or port is None:
        return None
    return Destination(_text(row.get("name"))[:200], ae, host, port, line)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _port(value: Any) -> int | None:
    text = _text(value)
    # A port is written in digits: "1e4" and "0x68" are no ports.
    if not (text.isascii() and text.isdecimal()) or len(text) > 5:
        return None
    return int(text) if 1 <= int(text) <= 65535 else None


def _twice(found: list[Destination], name: str) -> list[Fault]:
    """Name a destination that stands in the list again: one line would hide the other."""
    seen: dict[tuple[str, str, int], int] = {}
    faults = []
    for one in found:
        key = (one.ae, one.host.lower(), one.port)
        if key in seen:
            what = f"{one.ae} at {one.host}:{one.port} stands in line {seen[key]} already."
            faults.append(Fault("DST10", f"{name}:{one.line}", what, "Take one of them away."))
        seen.setdefault(key, one.line)
    return faults
