"""Read a whole QATrack+ server: lists, cycles, where they are done, and what came out last.

Filters of the interface are not used: one that it does not know returns every row. Whole lists
are read, each row is held against the others, and the last results are asked for by number.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from dataflows.qatrack.client import Row, Server, Unreadable, number_in
from dataflows.qatrack.standing import Item, Key, Kind, Result, Shelf, Source, result_of

UNITS, LISTS, CYCLES = "units/units/", "qc/testlists/", "qc/testlistcycles/"
FREQUENCIES, STATUSES = "qc/frequencies/", "qc/testinstancestatus/"
ASSIGNED, PERFORMED = "qc/unittestcollections/", "qc/testlistinstances/"

LISTED = (UNITS, FREQUENCIES, STATUSES, LISTS, CYCLES, ASSIGNED)
"""What is read whole, each before what names it."""

TRIES = 2
"""A list that changes while its pages are read does not add up; the second time it does."""

AD_HOC = "ad-hoc"
"""Stands in a key where a test has no frequency."""

Text = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
YEARS = range(1990, 2200)
"""No test of ours is due outside of them; at the end of time the calendar itself fails."""

Tell = Callable[[int, int, str], None]
Model = TypeVar("Model", bound=BaseModel)


def _moment(value: object) -> datetime | None:
    """Read a time as QATrack+ writes it: pydantic would take any number for one."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("no time")  # noqa: TRY004 - pydantic asks for a ValueError
    found = datetime.fromisoformat(value)
    if found.tzinfo is None or found.year not in YEARS:
        raise ValueError("no time with its zone, of these centuries")
    return found


Moment = Annotated[datetime | None, PlainValidator(_moment)]


class _Told(BaseModel):
    """A row as QATrack+ 3.1 gives it, of which only what is used is held against its form."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Unit(_Told):
    name: Text
    number: Annotated[int, Field(strict=True, ge=0)]


class _Frequency(_Told):
    name: Text
    slug: Text
    window_end: Annotated[int, Field(strict=True, ge=0, le=10_000)]


class _Status(_Told):
    valid: Annotated[bool, Field(strict=True)]


class _List(_Told):
    name: Text
    slug: Text


class _Cycle(_List):
    test_lists: list[str]


class _Assigned(_Told):
    tests_object: str
    unit: str
    frequency: str | None
    active: Annotated[bool, Field(strict=True)]
    due_date: Moment
    last_instance: str | None


class _Outcome(_Told):
    pass_fail: Literal["not_done", "ok", "tolerance", "action", "no_tol"]
    status: str


class _Performed(_Told):
    unit_test_collection: str
    work_completed: Moment
    in_progress: Annotated[bool, Field(strict=True)]
    all_reviewed: Annotated[bool, Field(strict=True)]
    test_instances: list[_Outcome]


@dataclass(frozen=True)
class _Lists:
    """Every list of the server, by the numbers that hold within this one reading."""

    units: Mapping[int, _Unit]
    frequencies: Mapping[int, _Frequency]
    statuses: Mapping[int, _Status]
    lists: Mapping[int, _List]
    cycles: Mapping[int, _Cycle]
    assigned: Mapping[int, _Assigned]


def read_server(
    server: Server, wanted: Iterable[Key], zone: tzinfo, tell: Tell = lambda *_: None
) -> dict[Key, Item]:
    """Return everything there is, with the last result of what is `wanted`.

    Raises
    ------
    Unreadable
        If anything is not as it should be: then nothing of it is to be relied on.
    """
    total = len(LISTED)
    raw: dict[str, Mapping[int, Row]] = {}
    for place, path in enumerate(LISTED):
        tell(place, total, f"Reading {path}")
        raw[path] = _whole(server, path)
    told = _Lists(
        units=_read(UNITS, _Unit, raw[UNITS]),
        frequencies=_read(FREQUENCIES, _Frequency, raw[FREQUENCIES]),
        statuses=_read(STATUSES, _Status, raw[STATUSES]),
        lists=_read(LISTS, _List, raw[LISTS]),
        cycles=_read(CYCLES, _Cycle, raw[CYCLES]),
        assigned=_read(ASSIGNED, _Assigned, raw[ASSIGNED]),
    )
    found = _items(told, zone)
    looked_at = _places(found, wanted, zone)
    for place, item in enumerate(looked_at):
        tell(total + place, total + len(looked_at), f"Reading the last result of {item.name}")
        last = _last(server, item, told.statuses)
        found[item.key] = Item(item.key, item.number, item.name, {**item.told, "last": last})
    return found


def try_server(server: Server, zone: tzinfo) -> str:
    """Ask for a little and return what was found, as a sentence.

    Raises
    ------
    Unreadable
    """
    units = _read(UNITS, _Unit, _whole(server, UNITS))
    assigned = server.get(ASSIGNED, {"limit": 1})
    rows = assigned.get("results")
    first = _read(ASSIGNED, _Assigned, dict(enumerate(rows)) if isinstance(rows, list) else {})
    for one in first.values():
        _check_offset(one.due_date, zone)
    return f"It answers and the token reads: {len(units)} units, {assigned.get('count')} tests"


def _whole(server: Server, path: str) -> Mapping[int, Row]:
    for _ in range(TRIES - 1):
        try:
            return server.rows(path)
        except Unreadable:
            continue
    return server.rows(path)


def _read(path: str, model: type[Model], rows: Mapping[int, Any]) -> dict[int, Model]:
    found = {}
    for number, row in rows.items():
        try:
            found[number] = model.model_validate(row)
        except ValidationError as error:
            field = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise Unreadable(
                f"The server gave {path}{number} without a proper {field or 'content'}."
            ) from None
    return found


def _items(told: _Lists, zone: tzinfo) -> dict[Key, Item]:
    found: dict[Key, Item] = {}

    def add(key: Key, number: int, name: str, **more: Any) -> None:
        if key in found:
            raise Unreadable(f"The server has two of {key.kind} {key.slug[:100]!r}.")
        found[key] = Item(key, number, name, more)

    for number, one in told.lists.items():
        add(Key(Kind.LIST, one.slug), number, one.name)
    for number, cycle in told.cycles.items():
        days = [_known(told.lists, LISTS, address).slug for address in cycle.test_lists]
        add(Key(Kind.CYCLE, cycle.slug), number, cycle.name, lists=days)
    for number, row in told.assigned.items():
        _check_offset(row.due_date, zone)
        unit = _known(told.units, UNITS, row.unit)
        frequency = _known(told.frequencies, FREQUENCIES, row.frequency) if row.frequency else None
        kind, tests = _tests(told, row.tests_object)
        often = frequency.slug if frequency else AD_HOC
        slug = f"{unit.number}/{kind}/{often}/{tests.slug}"
        last = row.last_instance
        add(
            Key(Kind.UTC, slug),
            number,
            tests.name,
            tests=[kind, tests.slug],
            unit=unit.number,
            unit_name=unit.name,
            frequency=often,
            frequency_name=frequency.name if frequency else "",
            window_end=frequency.window_end if frequency else None,
            active=row.active,
            due=row.due_date.isoformat() if row.due_date else None,
            last=_unread(number_in(last, PERFORMED)) if last else None,
        )
    return found


def _unread(number: int) -> dict[str, Any]:
    return {"number": number, "result": Result.UNREAD, "completed": None, "reviewed": False}


def _tests(told: _Lists, address: str) -> tuple[Kind, _List]:
    # The same resource answers below qa/ and qc/.
    if "/testlistcycles/" in address:
        return Kind.CYCLE, _known(told.cycles, CYCLES, address)
    return Kind.LIST, _known(told.lists, LISTS, address)


def _known(rows: Mapping[int, Model], path: str, address: str) -> Model:
    number = number_in(address, path)
    if number not in rows:
        raise Unreadable(f"The server names {path}{number} and does not list it.")
    return rows[number]


def _check_offset(due: datetime | None, zone: tzinfo) -> None:
    """Refuse times that are not in the zone: the day would be another, and so the status."""
    if due is not None and due.utcoffset() != due.astimezone(zone).utcoffset():
        raise Unreadable(
            f"The server gives times as {due.isoformat()}, which is not in {zone}; correct its "
            "time zone here."
        )


def _places(found: Mapping[Key, Item], wanted: Iterable[Key], zone: tzinfo) -> list[Item]:
    """Return where the wanted tests are done, as far as they were ever done there."""
    shelf = Shelf(Source("", "", zone, datetime.now(zone)), found)
    items = (found[key] for key in wanted if key in found)
    done = {one.key: one for item in items for one in shelf.done_as(item)}
    return [done[key] for key in sorted(done) if done[key].told["last"]]


def _last(server: Server, item: Item, statuses: Mapping[int, _Status]) -> dict[str, Any]:
    number = item.told["last"]["number"]
    row = server.row(PERFORMED, number)
    one = _read(PERFORMED, _Performed, {number: row})[number]
    if number_in(one.unit_test_collection, ASSIGNED) != item.number:
        raise Unreadable(f"The server gave {PERFORMED}{number} for another test than asked for.")
    rejected = any(not _known(statuses, STATUSES, each.status).valid for each in one.test_instances)
    result = result_of((each.pass_fail for each in one.test_instances), rejected=rejected)
    whole = one.work_completed is not None and not one.in_progress
    return {
        "number": number,
        "result": result if whole or result is Result.REJECTED else Result.INCOMPLETE,
        "completed": one.work_completed.isoformat() if one.work_completed else None,
        "reviewed": one.all_reviewed,
    }
