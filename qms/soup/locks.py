"""Read a lock file of Python packages: one pinned version per line, with hashes. Pure.

The form is that of ``pip install -r`` as ``uv pip compile`` and ``pip-compile`` write it. What a
comment says under ``via`` tells what the software asks for itself from what came along.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from core.errors import Fault, Invalid
from qms.soup.components import Bill, Component, Source, delivered_only, normal_name
from qms.soup.markers import MarkerError, described, holds, this_machine

LARGEST_BYTES = 5_000_000
"""Ten times the largest lock file we know."""

MOST_COMPONENTS = 20_000
LONGEST_LINE = 20_000
MOST_FAULTS = 200
"""A file of another kind has a fault in every line; the first ones tell what it is."""

_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*"
    r"={2,3}\s*(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*(?:;(?P<marker>.*))?"
)
_COMMENT = re.compile(r"\s#")
_HASH = re.compile(r"--hash[= ]\s*(?P<kind>[a-z0-9]+):(?P<value>[0-9A-Fa-f]+)")
_OPTIONS = re.compile(
    r"(?:--index-url|-i|--extra-index-url|--find-links|-f|--no-binary|--only-binary|--no-index"
    r"|--trusted-host|--prefer-binary|--pre|--require-hashes|--use-feature)(?:[ =]|$)"
)
"""Options of the whole file that name no component."""

_DEVELOPMENT = re.compile(r"(?i):dev\)$|(?:^|[/\s(:._-])(?:dev|develop|development|tests?|lint)\b")


@dataclass
class _Line:
    """One requirement with the comment below it."""

    number: int
    text: str
    via: list[str] = field(default_factory=list)


def read_lock(content: bytes, name: str, machine: Mapping[str, str] | None = None) -> Bill:
    """Return the components that a lock file states for one environment.

    Parameters
    ----------
    machine : mapping, optional
        What its markers ask for, as `this_machine` returns it; this machine, unless given.

    Raises
    ------
    Invalid
        With every fault of the file and its line.
    """
    asked = machine or this_machine()
    faults: list[Fault] = []
    lines = list(islice(_lines(_text(content, name), name, faults), MOST_COMPONENTS + 1))
    if len(lines) > MOST_COMPONENTS:
        fault = Fault("SR01", name, f"names more than {MOST_COMPONENTS} components.")
        raise Invalid(f"{name} is too large for a lock file.", [fault])
    entries = [_entry(line, name, faults) for line in lines]
    found = [entry for entry in entries if entry is not None]
    applying: list[Component] = []
    elsewhere: list[Component] = []
    for line, one in _told_apart(found):
        try:
            fits = not one.condition or holds(one.condition, asked)
        except MarkerError as error:
            what = f"has the marker {one.condition[:80]!r}: {error}."
            faults.append(Fault("SR05", f"{name}:{line.number}", what, "Correct the marker."))
            continue
        (applying if fits else elsewhere).append(one)
    faults += _doubled(applying, name)
    applying = _without(applying, {one.key[1] for one in applying})
    if not found and not faults:
        mend = "Write it with 'uv pip compile' or 'pip-compile'."
        faults.append(Fault("SR02", name, "names no component.", mend))
    if faults:
        told = f"{name} cannot be read as a lock file; nothing was compared."
        raise Invalid(told, faults[:MOST_FAULTS])
    read_for = described(asked) if any(one.condition for _, one in found) else ""
    return Bill(Source.LOCK, name, delivered_only(applying), read_for, tuple(elsewhere))


def _text(content: bytes, name: str) -> str:
    if len(content) > LARGEST_BYTES:
        what = f"holds {len(content)} bytes, more than {LARGEST_BYTES}."
        raise Invalid(f"{name} is too large for a lock file.", [Fault("SR01", name, what)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 at byte {error.start}."
        raise Invalid(f"{name} is no text.", [Fault("SR02", name, what)]) from error


def _lines(text: str, name: str, faults: list[Fault]) -> Iterator[_Line]:
    """Yield each requirement as one line, with what the comments below it say it came by."""
    current: _Line | None = None
    joining = in_via = False
    for number, raw in enumerate(text.splitlines(), 1):
        if len(raw) > LONGEST_LINE:
            faults.append(Fault("SR01", f"{name}:{number}", "is too long a line."))
            continue
        comment = re.match(r"\s*#(?P<said>.*)", raw)
        if comment:
            said = comment["said"].strip()
            if said.startswith("via"):
                in_via, said = True, said.removeprefix("via").strip()
            if current is not None and in_via and said:
                current.via.append(said)
            continue
        line = _COMMENT.split(raw, maxsplit=1)[0].strip()
        in_via = False
        if not line:
            continue
        if joining and current is not None:
            current.text += " " + line.removesuffix("\\").strip()
        else:
            if current is not None:
                yield current
            current = _Line(number, line.removesuffix("\\").strip())
        joining = line.endswith("\\")
    if current is not None:
        yield current


def _entry(line: _Line, name: str, faults: list[Fault]) -> tuple[_Line, Component] | None:
    where = f"{name}:{line.number}"
    if _OPTIONS.match(line.text):
        return None
    if line.text.startswith("-"):
        what = f"has the option {line.text.split()[0][:40]}, which leads to what is not in it."
        faults.append(Fault("SR03", where, what, "Give one lock file that holds everything."))
        return None
    hashes = tuple(sorted({f"{h['kind']}:{h['value'].lower()}" for h in _HASH.finditer(line.text)}))
    pinned = _PINNED.fullmatch(_HASH.sub("", line.text).strip())
    if pinned is None:
        what = f"is {line.text[:60]!r}, which pins no version."
        faults.append(Fault("SR04", where, what, "Pin it as name==version."))
        return None
    normal = normal_name(pinned["name"])
    component = Component(
        name=pinned["name"],
        version=pinned["version"],
        purl=f"pkg:pypi/{normal}@{pinned['version']}",
        hashes=hashes,
        condition=(pinned["marker"] or "").strip(),
    )
    return line, component


def _told_apart(found: list[tuple[_Line, Component]]) -> list[tuple[_Line, Component]]:
    """Say of each component who asks for it, where the comments of the file tell."""
    names = {one.key[1] for _, one in found}
    told = any(line.via for line, _ in found)
    answer = []
    for line, one in found:
        above = tuple(sorted({normal_name(said) for said in line.via} & names))
        asked = [said for said in line.via if normal_name(said) not in names]
        answer.append(
            (
                line,
                replace(
                    one,
                    needed_by=above,
                    direct=(bool(asked) if line.via else None) if told else None,
                    delivered=not asked or not all(_DEVELOPMENT.search(said) for said in asked),
                ),
            )
        )
    return answer


def _without(components: list[Component], there: set[str]) -> list[Component]:
    """Leave out, of who asks for a component, what is not there itself."""
    return [
        replace(one, needed_by=tuple(name for name in one.needed_by if name in there))
        for one in components
    ]


def _doubled(components: list[Component], name: str) -> list[Fault]:
    versions: dict[str, list[str]] = defaultdict(list)
    for one in components:
        versions[one.key[1]].append(one.version)
    return [
        Fault("SR06", name, f"pins {known} more than once: {', '.join(held)}.", "Leave one.")
        for known, held in versions.items()
        if len(held) > 1
    ]
