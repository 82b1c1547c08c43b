"""Declared figures of published data: a JSON file, read strictly and refused with every fault.

A key that is not known would be a wish that nobody grants, and a tolerance without end one that
passes everything; both are faults.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.dose.metrics import unit_of
from engine.dose.parameters import Between, EndCaps, Parameters
from engine.errors import Fault, Reason, Refusal, refuse

SHIPPED = Path(__file__).resolve().parent / "expectations"
"""Expectations that ship with the engine, one JSON file each."""
MOST_BYTES = 1024 * 1024

TEXTS = ("name", "title", "source", "parameters_reason")
TOP = frozenset({*TEXTS, "files", "parameters", "expected"})
FILES = ("structures", "dose")
PARAMETERS: Mapping[str, type[StrEnum]] = {"end_caps": EndCaps, "between": Between}
WORDS, NUMBERS = ("structure", "metric", "unit"), ("value", "tolerance")


@dataclass(frozen=True)
class Expected:
    """One declared figure with its tolerance and unit."""

    structure: str
    metric: str
    value: float
    tolerance: float
    unit: str

    @property
    def name(self) -> str:
        """Structure and metric in words."""
        return f"{self.structure} {self.metric}"


@dataclass(frozen=True)
class Expectations:
    """Declared figures, where they come from and the parameters they are compared under."""

    name: str
    title: str
    source: str
    files: Mapping[str, str]
    parameters: Parameters
    parameters_reason: str
    expected: tuple[Expected, ...]


def load_expectations(source: Path | str) -> Expectations:
    """Read declared expectations from a JSON file, or by the name of shipped ones.

    Raises
    ------
    Refusal
        EXPECTATION_INVALID with every fault of the file.
    """
    path = Path(source)
    if path.suffix != ".json":
        path = SHIPPED / f"{str(source).replace('-', '_')}.json"
    if not path.is_file():
        names = ", ".join(sorted(p.stem.replace("_", "-") for p in SHIPPED.glob("*.json")))
        raise refuse(
            Reason.FILE_MISSING, str(source), f"No expectations of that name; there are {names}."
        )
    if path.stat().st_size > MOST_BYTES:
        raise refuse(Reason.EXPECTATION_INVALID, path.name, "It is larger than 1 MB.")
    form = _Form(path.name)
    try:
        plain = json.loads(path.read_text("utf-8"), object_pairs_hook=form.keys_once)
    except (ValueError, RecursionError) as error:
        raise refuse(Reason.EXPECTATION_INVALID, path.name, f"It is not JSON ({error}).") from error
    return form.expectations(plain)


class _Form:
    """Reads one declaration and keeps a list of everything that is wrong with it."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._faults: list[Fault] = []

    def _fault(self, place: str, what: str) -> None:
        where = f"{self._where}, {place}" if place else self._where
        self._faults.append(Fault(Reason.EXPECTATION_INVALID, where, what))

    def keys_once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Build one JSON object, noting each key that stands twice in it."""
        keys = [key for key, _ in pairs]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            self._fault("", f"{key} stands twice in one place.")
        return dict(pairs)

    def _known(self, holder: Any, known: frozenset[str], place: str) -> dict[str, Any]:
        if not isinstance(holder, dict):
            return {}
        for key in sorted(holder.keys() - known):
            self._fault(place, f"{key} is not known here.")
        return holder

    def _need(self, holder: dict[str, Any], key: str, kind: type, place: str) -> Any:
        value = holder.get(key)
        if not isinstance(value, kind) or not value:
            self._fault(place, f"{key} is missing or of another type.")
            return kind()
        return value

    def _number(self, holder: dict[str, Any], key: str, place: str, lowest: float) -> float:
        value = holder.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            self._fault(place, f"{key} is missing or of another type.")
            return 0.0
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or number < lowest:
            least = "" if lowest == -math.inf else f" of at least {lowest:g}"
            self._fault(place, f"{key} is {number:g}; it must be a finite number{least}.")
        return number

    def _expected(self, item: Any, place: str) -> Expected:
        entry = self._known(item, frozenset({*WORDS, *NUMBERS}), place)
        structure, metric = (self._need(entry, key, str, place) for key in WORDS[:2])
        # The homogeneity index has no unit, so an empty one may be right.
        unit = entry.get("unit")
        if not isinstance(unit, str):
            self._fault(place, "unit is missing or of another type.")
        elif metric:
            try:
                right = unit_of(metric)
            except Refusal as refusal:
                self._fault(place, refusal.faults[0].what)
            else:
                if unit != right:
                    what = f"unit is {unit!r}; {metric} is in {right or 'no unit'}."
                    self._fault(place, what)
        value = self._number(entry, "value", place, -math.inf)
        tolerance = self._number(entry, "tolerance", place, 0.0)
        return Expected(structure, metric, value, tolerance, str(unit))

    def _parameters(self, holder: dict[str, Any]) -> Parameters:
        plain = self._known(holder, frozenset(PARAMETERS), "parameters")
        for key, kind in PARAMETERS.items():
            if plain and plain.get(key) not in list(kind):
                allowed = ", ".join(kind)
                self._fault("parameters", f"{key} is {plain.get(key)!r}; allowed are {allowed}.")
        if self._faults:
            return Parameters()
        return Parameters(EndCaps(plain["end_caps"]), Between(plain["between"]))

    def expectations(self, plain: Any) -> Expectations:
        """Return what the declaration says, or raise `Refusal` with all its faults."""
        top = self._known(plain, TOP, "top")
        texts = {key: self._need(top, key, str, "top") for key in TEXTS}
        files = self._known(self._need(top, "files", dict, "top"), frozenset(FILES), "files")
        if files:
            files = {kind: self._need(files, kind, str, "files") for kind in FILES}
        listed = top.get("expected")
        if not isinstance(listed, list) or not listed:
            self._fault("", "Nothing is expected.")
            listed = []
        expected = [self._expected(item, f"expected {n}") for n, item in enumerate(listed, 1)]
        parameters = self._parameters(self._need(top, "parameters", dict, "top"))
        if self._faults:
            raise Refusal(self._faults)
        return Expectations(**texts, files=files, parameters=parameters, expected=tuple(expected))
