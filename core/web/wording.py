"""How values read on a page: local times, words, ages, Markdown."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from markupsafe import Markup

from core.canonical import canonical_json
from core.clock import now

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def shortest(figure: float) -> str:
    """Return a figure in the fewest digits that still say just this figure.

    Examples
    --------
    >>> shortest(1234567.8), shortest(2.0), shortest(0.02)
    ('1234567.8', '2', '0.02')
    """
    return canonical_json(figure).decode()


def local_time(moment: datetime | None) -> Markup:
    """Write a moment in local time with its offset; UTC is in its title."""
    if moment is None:
        return Markup('<span class="quiet">never</span>')
    here, utc = moment.astimezone(), moment.astimezone(UTC)
    offset = f"{here:%z}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        f"{utc:%Y-%m-%dT%H:%M:%SZ}",
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        f"{here.day} {here:%b %Y %H:%M} {offset[:3]}:{offset[3:5]}",
    )


def utc_time(moment: datetime) -> Markup:
    """Write a moment in UTC, as it stands beside a signature."""
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    )


def words(value: object) -> str:
    """Write a name of ours as a person reads it: quality_manager, in_review.

    Examples
    --------
    >>> words("in_review")
    'in review'
    """
    return str(value).replace("_", " ")


def age(moment: datetime) -> str:
    """Write how long ago something was, roughly: 5 min, 3 h, 2 d."""
    seconds = max(0, int((now() - moment).total_seconds()))
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min"
    return f"{seconds // HOUR_S} h" if seconds < DAY_S else f"{seconds // DAY_S} d"


def pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    """Return what a choice posts, each with how it reads."""
    return [(one, words(one)) for one in values]


def plain_json(value: object) -> str:
    """Write structured values as readable JSON: what holds nothing further takes one line.

    Examples
    --------
    >>> print(plain_json({"rows": [[1, 1, 2], [1, 2, 3]]}))
    {
      "rows": [
        [1, 1, 2],
        [1, 2, 3]
      ]
    }
    """
    return _json(value, "")


def _json(value: object, indent: str) -> str:
    if isinstance(value, Mapping):
        inside = list(value.values())
    else:
        inside = list(value) if isinstance(value, list | tuple) else []
    nested = isinstance(value, Mapping) or any(map(_holds, inside))
    if not inside or not nested:
        return json.dumps(value, ensure_ascii=False)
    deeper = indent + "  "
    lines = [_json(one, deeper) for one in inside]
    if isinstance(value, Mapping):
        names = [json.dumps(str(name), ensure_ascii=False) for name in value]
        lines = [f"{name}: {line}" for name, line in zip(names, lines, strict=True)]
    opening, closing = "{}" if isinstance(value, Mapping) else "[]"
    body = f",\n{deeper}".join(lines)
    return f"{opening}\n{deeper}{body}\n{indent}{closing}"


def _holds(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple)


def groupby_kept(rows: Iterable[Any], name: str) -> list[tuple[Any, list[Any]]]:
    """Group neighbours by an attribute and keep their order, which Jinja's own filter changes."""
    return [(key, list(found)) for key, found in groupby(rows, key=attrgetter(name))]
