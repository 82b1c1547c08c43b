"""What differs between a run and the one before it, as sentences. Pure: works on plain values."""

from collections.abc import Iterator, Mapping
from typing import Any

SHORT = 12
"""Hexadecimal digits of a digest that a person compares."""

Plain = Mapping[str, Any]


def differences(before: Plain, after: Plain) -> list[str]:
    """Say what changed from one run to the next; empty when a rerun repeated everything.

    Times are left out: they always differ.

    Parameters
    ----------
    before, after : mapping
        Two runs as :func:`validation.runs.plain.run_as_plain` gives them.
    """
    return [
        *_of_the_device(before, after),
        *_of_the_environment(before["environment"], after["environment"]),
        *_of_the_tests(before, after),
        *_of_the_scenarios(before, after),
    ]


def _of_the_device(before: Plain, after: Plain) -> Iterator[str]:
    yield from _changed("Tester", before["tester"]["name"], after["tester"]["name"])
    yield from _changed("Repository", before["device"]["repository"], after["device"]["repository"])
    yield from _changed("Tag", before["device"]["tag"], after["device"]["tag"])
    yield from _changed(
        "Commit", _short(before["device"]["commit"]), _short(after["device"]["commit"])
    )
    if before["device"]["clean"] != after["device"]["clean"]:
        words = "stayed clean" if after["device"]["clean"] else "was changed while it was used"
        yield f"The working folder {words}."
    yield from _digests("Manifest (app.yaml)", before["device"], after["device"], "manifest_digest")
    yield from _digests("Protocol", before, after, "protocol_digest")
    yield from _changed("Engine version", before["engine"]["version"], after["engine"]["version"])
    yield from _digests("Engine", before["engine"], after["engine"], "digest")
    if before["data"] != after["data"]:
        yield f"Data: {len(before['data'])} files before, {len(after['data'])} now; not the same."


def _of_the_environment(before: Plain, after: Plain) -> Iterator[str]:
    for name in ("site", "machine", "os", "kernel", "python", "architecture", "processors"):
        yield from _changed(name.capitalize(), before.get(name), after.get(name))
    yield from _digests("Package lock", before, after, "lock_digest")
    yield from _mapping("Package", before.get("packages", {}), after.get("packages", {}))
    yield from _mapping("Model", before.get("models", {}), after.get("models", {}))


def _of_the_tests(before: Plain, after: Plain) -> Iterator[str]:
    old = {test["uid"]: test["revision"] for test in before["tests"]}
    new = {test["uid"]: test["revision"] for test in after["tests"]}
    for uid in sorted(old.keys() | new.keys()):
        if uid not in new:
            yield f"{uid} is no longer part of the run."
        elif uid not in old:
            yield f"{uid} is new in the run."
        elif old[uid] != new[uid]:
            yield f"{uid} was revision {old[uid]}, now {new[uid]}."


def _of_the_scenarios(before: Plain, after: Plain) -> Iterator[str]:
    old = {_identity(one): one for one in before["scenarios"]}
    for scenario in after["scenarios"]:
        name = _name(scenario)
        earlier = old.pop(_identity(scenario), None)
        if earlier is None:
            yield f"{name}: not executed before, now {scenario['status']}."
            continue
        if earlier["status"] != scenario["status"]:
            yield f"{name}: {earlier['status']} before, now {scenario['status']}."
        yield from _of_the_values(name, earlier, scenario)
    for scenario in old.values():
        yield f"{_name(scenario)}: {scenario['status']} before, not executed now."


def _of_the_values(name: str, before: Plain, after: Plain) -> Iterator[str]:
    """Name each measured value that changed, and say when the measurements no longer pair up."""
    old = [(m["name"], m) for step in before["steps"] for m in step["measurements"]]
    new = [(m["name"], m) for step in after["steps"] for m in step["measurements"]]
    if [label for label, _ in old] != [label for label, _ in new]:
        yield f"{name}: {len(old)} values measured before, {len(new)} now; not the same ones."
        return
    for (label, was), (_, is_now) in zip(old, new, strict=True):
        unit = f" {is_now['unit']}" if is_now["unit"] else ""
        if was["actual"] != is_now["actual"]:
            yield f"{name}: {label} was {was['actual']}{unit}, now {is_now['actual']}{unit}."
        if (was["expected"], was["tolerance"]) != (is_now["expected"], is_now["tolerance"]):
            yield (
                f"{name}: {label} was expected to be {_bound(was)}{unit}, "
                f"now {_bound(is_now)}{unit}."
            )


def _bound(measurement: Plain) -> str:
    tolerance = measurement["tolerance"]
    return f"{measurement['expected']}" + ("" if tolerance is None else f" within {tolerance}")


def _identity(scenario: Plain) -> tuple[str, str, str]:
    return scenario["feature"], scenario["title"], repr(sorted(scenario["example"].items()))


def _name(scenario: Plain) -> str:
    row = ", ".join(f"{k} {v}" for k, v in scenario["example"].items())
    return f"{scenario['test'] or scenario['title']}" + (f" ({row})" if row else "")


def _mapping(label: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{label} {name} {_short(before[name])} is gone."
        elif name not in before:
            yield f"{label} {name} {_short(after[name])} is new."
        elif before[name] != after[name]:
            yield f"{label} {name} was {_short(before[name])}, now {_short(after[name])}."


def _digests(label: str, before: Plain, after: Plain, name: str) -> Iterator[str]:
    yield from _changed(label, _short(before.get(name) or ""), _short(after.get(name) or ""))


def _changed(label: str, before: object, after: object) -> Iterator[str]:
    if before != after:
        yield f"{label}: {before or 'none'} before, now {after or 'none'}."


def _short(text: str) -> str:
    """Cut a digest, leave a version or a name as it is."""
    return text[:SHORT] if len(text) in (40, 64) else text
