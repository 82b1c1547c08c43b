"""Read Cucumber JSON, as Cucumber, behave and pytest-bdd write it.

A scenario passes only where it has steps and every one of them passed: a step nobody defined, one
that waits to be written and one that was passed over are told apart and are no pass. So are the
hooks: of the scenario, of its background, of every step, and those that Cucumber for JavaScript
lists as hidden steps. behave leaves out the result of a step that was not run, and says of the
scenario and of the feature how they came out.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qms.interchange.corpus import Attached, Finding, Place
from qms.results.cases import (
    MOST_CASES,
    MOST_LETTERS,
    MOST_NAMINGS,
    MOST_TEXT,
    Case,
    Naming,
    Outcome,
    Report,
    explains,
    take_back,
    worst,
)
from qms.results.ids import MOST_NAMED, apart, once, seen_in, tagged
from qms.results.refusing import DEEPEST, LARGEST_BYTES, refuse_too_large, refused

_STATUS: Mapping[str, tuple[Outcome, str]] = {
    "passed": (Outcome.PASSED, ""),
    "failed": (Outcome.FAILED, "failed"),
    "undefined": (Outcome.ERROR, "is not defined"),
    "ambiguous": (Outcome.ERROR, "is defined more than once"),
    "pending": (Outcome.SKIPPED, "is not written yet"),
    "skipped": (Outcome.SKIPPED, "was passed over"),
    "untested": (Outcome.SKIPPED, "was not run"),
    "unused": (Outcome.SKIPPED, "was not run"),
    "xfailed": (Outcome.XFAIL, "failed, as it was expected to"),
    "xpassed": (Outcome.XPASS, "passed, and was expected to fail"),
    "": (Outcome.SKIPPED, "was not run"),
}
_UNKNOWN = (Outcome.ERROR, "has no known status")
LARGEST_ATTACHED = 10_000_000


@dataclass
class _Reading:
    file: str
    cases: list[Case] = field(default_factory=list)
    findings: dict[Finding, None] = field(default_factory=dict)
    """Each once: a place is the file alone here, so that many scenarios may say the same."""
    namings: int = 0
    letters: int = 0

    def keep(self, case: Case) -> None:
        """Keep a scenario, as long as there are not too many of them and of what they name."""
        self.cases.append(case)
        self.namings += case.namings
        self.letters += case.letters
        if sum(one.stated for one in case.named) > MOST_NAMED:
            what = f"holds a scenario that names more than {MOST_NAMED} records."
            raise refused("TR602", self.file, what, "Name fewer.")
        if len(self.cases) > MOST_CASES or self.namings > MOST_NAMINGS:
            what = (
                f"has more than {MOST_CASES} scenarios, or names records more than {MOST_NAMINGS} "
                "times in all."
            )
            raise refused("TR602", self.file, what, "Split the report.")
        if self.letters > MOST_LETTERS:
            what = f"has names of more than {MOST_LETTERS} characters in all its scenarios."
            raise refused("TR602", self.file, what, "Split the report, or shorten its names.")

    def find(self, code: str, what: str, mend: str = "") -> None:
        self.findings[Finding(code, what, Place(self.file), mend=mend)] = None


def read_cucumber(content: bytes, file: str) -> Report:
    """Read one report.

    Raises
    ------
    Invalid
        If it is too large, too deep, not JSON, or no list of features.
    """
    features = _loaded(content, file)
    if not isinstance(features, list) or not all(_is_feature(one) for one in features):
        mend = "Write it with the JSON formatter of Cucumber."
        raise refused("TR605", file, "is no list of features with their elements.", mend)
    reading = _Reading(file)
    for feature in features:
        _feature(reading, feature)
    if not reading.cases:
        reading.find("TR608", "The report holds no scenario.", "Run the scenarios.")
    return Report(file, "cucumber", tuple(reading.cases), tuple(reading.findings))


def _loaded(content: bytes, file: str) -> Any:
    refuse_too_large(content, file)
    deep = refused("TR602", file, f"nests more than {DEEPEST} values.", "Flatten it.")
    try:
        value = json.loads(content)
    except json.JSONDecodeError as error:
        what = f"is not JSON: {error.msg}."
        raise refused("TR604", f"{file}:{error.lineno}", what, "Write it again.") from error
    except UnicodeDecodeError as error:
        raise refused("TR604", file, "is not text in UTF-8.", "Write it as UTF-8.") from error
    except RecursionError as error:
        raise deep from error
    except ValueError as error:
        what = "holds a number too long to read."
        raise refused("TR604", file, what, "Write it again.") from error
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [below for one in level for below in _below(one)]
        if not level:
            return value
    raise deep


def _below(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _is_feature(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("elements", []), list)


@dataclass
class _Ran:
    """What ran of elements: the steps, and the hooks around them and around each step."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)

    def take(self, element: dict[str, Any], *, listed_again: bool = False) -> None:
        """Add what ran of one element; steps without a result are left out if `listed_again`."""
        listed = _dicts(element.get("steps"))
        # Cucumber for JavaScript lists its hooks as steps.
        self.hooks += (step for step in listed if step.get("hidden"))
        for one in (element, *listed):
            self.hooks += (*_dicts(one.get("before")), *_dicts(one.get("after")))
        steps = [step for step in listed if not step.get("hidden")]
        if not listed_again or any("result" in step for step in steps):
            self.steps += steps


@dataclass(frozen=True)
class _Feature:
    """What every scenario of a feature shares, read once for all of them."""

    title: str
    uri: str
    named: tuple[Naming, ...]
    seen: tuple[Naming, ...]
    """What its title looks like naming."""


def _feature(reading: _Reading, feature: dict[str, Any]) -> None:
    place, title = Place(reading.file), _text(feature.get("name"))
    shared = _Feature(
        title,
        _text(feature.get("uri")),
        once(tagged(_tags(feature), place)),
        seen_in((title,), place),
    )
    begin = len(reading.cases)
    before = _Ran()
    for element in _dicts(feature.get("elements")):
        if element.get("type") == "background":
            # behave lists the steps of a background, and tells them again where they ran.
            before.take(element, listed_again=True)
            continue
        reading.keep(_case(reading, shared, element, before))
        before = _Ran()
    if "status" in feature:
        _compare(reading, title, _text(feature["status"]), begin)


def _compare(reading: _Reading, title: str, status: str, begin: int) -> None:
    """Let no scenario pass where the feature did not, and no scenario shows why."""
    outcome, _ = _STATUS.get(status.lower() or "unknown", _UNKNOWN)
    cases = reading.cases[begin:]
    if not cases or explains(outcome, cases):
        return
    what = (
        f"The feature {title[:200]} says {status[:60] or 'no status'}, and no scenario shows why."
    )
    take_back(reading.cases, begin, what)
    reading.find("TR616", what, "Look at what failed.")


def _case(reading: _Reading, feature: _Feature, element: dict[str, Any], ran: _Ran) -> Case:
    place = Place(reading.file)
    name = _text(element.get("name"))
    around = len(ran.steps)
    ran.take(element)
    if not name:
        what = f"A scenario of {feature.title[:200] or 'a feature'} has no name."
        reading.find("TR607", what, "Name it.")
    # The steps of a background are no test where the scenario has none of its own.
    outcome, message = _outcome(ran, len(ran.steps) > around, element)
    stated, words = apart([*feature.named, *tagged(_tags(element), place)])
    return Case(
        suite=feature.title,
        classname=feature.title,
        name=name,
        outcome=outcome,
        place=place,
        seconds=_seconds(ran.steps),
        message=message,
        source=_source(feature.uri, element),
        named=once([*stated, *feature.seen, *seen_in((name,), place)]),
        words=words,
        attached=tuple(_attached(reading, [*ran.steps, *ran.hooks])),
    )


def _outcome(ran: _Ran, steps: bool, element: dict[str, Any]) -> tuple[Outcome, str]:
    said: list[tuple[Outcome, str]] = []
    for step in ran.steps:
        outcome, words = _STATUS.get(_status(step), _UNKNOWN)
        said.append((outcome, f"The step {_text(step.get('name'))} {words}{_reason(step)}"))
    said += [
        (Outcome.ERROR, f"Set-up or tear-down failed{_reason(hook)}")
        for hook in ran.hooks
        if _status(hook) not in ("passed", "skipped")
    ]
    if not steps:
        said.append((Outcome.SKIPPED, "The scenario has no step."))
    if "status" in element:
        status = _text(element["status"])
        outcome, _ = _STATUS.get(status.lower() or "unknown", _UNKNOWN)
        said.append((outcome, f"The scenario says {status or 'no status'}."))
    # A failed step passes over those after it: what failed is told, not what was never reached.
    decided = worst(outcome for outcome, _ in said) or Outcome.SKIPPED
    if decided is Outcome.PASSED:
        return decided, ""
    return decided, next(words for outcome, words in said if outcome is decided)[:MOST_TEXT]


def _status(step: dict[str, Any]) -> str:
    if "result" not in step:
        return ""
    result = step["result"]
    said = _text(result.get("status")).lower() if isinstance(result, dict) else ""
    return said or "unknown"


def _source(uri: str, element: dict[str, Any]) -> str:
    line = element.get("line")
    if uri and isinstance(line, int):
        return f"{uri}:{line}"
    return uri or _text(element.get("location"))


def _reason(step: dict[str, Any]) -> str:
    result = step.get("result")
    said = result.get("error_message") if isinstance(result, dict) else ""
    if isinstance(said, list):
        said = "\n".join(one for one in said if isinstance(one, str))
    told = _text(said)
    return f": {told}" if told else "."


def _seconds(steps: Sequence[dict[str, Any]]) -> float | None:
    results = [step.get("result") for step in steps]
    given = [one.get("duration") for one in results if isinstance(one, dict)]
    spent = [one for one in given if isinstance(one, int) and 0 <= one < 10**16]
    return sum(spent) / 1e9 if spent else None


def _tags(of: dict[str, Any]) -> Iterator[str]:
    tags = of.get("tags")
    for tag in tags if isinstance(tags, list) else []:
        yield _text(tag.get("name")) if isinstance(tag, dict) else _text(tag)


def _attached(reading: _Reading, steps: Sequence[dict[str, Any]]) -> Iterator[Attached]:
    embedded = [one for step in steps for one in _dicts(step.get("embeddings"))]
    for place, one in enumerate(embedded, start=1):
        name = _text(one.get("name"), 200) or f"attachment {place}"
        data = _text(one.get("data"), LARGEST_BYTES)
        try:
            content = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            reading.find("TR609", f"The file {name} is not in base64.", "Attach it again.")
            continue
        if len(content) > LARGEST_ATTACHED:
            reading.find("TR609", f"The file {name} is larger than {LARGEST_ATTACHED} bytes.")
            continue
        yield Attached(name, hashlib.sha256(content).hexdigest(), content)


def _dicts(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        # One hook that is not in a list failed no less.
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any, most: int = MOST_TEXT) -> str:
    if not isinstance(value, str):
        return ""
    # JSON may spell what no database keeps: the character of the code 0, and halves of others.
    plain = value.strip()[:most].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return plain.encode("utf-8", "replace").decode()
