"""Turn the strings of a file into numbers, collecting every fault instead of the first alone."""

import math
from collections.abc import Sequence

from engine.errors import Fault, Reason


class Checked:
    """Reads values of one object and keeps a list of what was wrong with them."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.faults: list[Fault] = []

    def fault(self, code: Reason, attribute: str, what: str) -> None:
        """Note a fault at an attribute of this object."""
        self.faults.append(Fault(code, f"{self.where}, {attribute}", what))

    def text(self, attribute: str, value: str | None) -> str:
        """Return a required text; an absent or empty one is a fault."""
        if not value:
            self.fault(Reason.VALUE_MISSING, attribute, f"{attribute} is missing or empty.")
        return value or ""

    def numbers(
        self,
        attribute: str,
        parts: Sequence[str] | None,
        *,
        count: int | None = None,
        lowest: float = -math.inf,
        highest: float = math.inf,
    ) -> list[float] | None:
        """Return the values, or None after noting why not. Limits are inclusive."""
        if not parts or all(part == "" for part in parts):
            self.fault(Reason.VALUE_MISSING, attribute, f"{attribute} is missing or empty.")
            return None
        numbers = []
        for part in parts:
            number = _number(part)
            if number is None:
                what = f"{attribute} holds {part[:40]!r}, which is not a number."
                self.fault(Reason.VALUE_NOT_NUMERIC, attribute, what)
                return None
            numbers.append(number)
        if count is not None and len(numbers) != count:
            what = f"{attribute} has {len(numbers)} values; {count} are needed."
            self.fault(Reason.VALUE_COUNT, attribute, what)
            return None
        for number in numbers:
            if not lowest <= number <= highest:
                what = f"{attribute} is {number:g}; allowed is {lowest:g} to {highest:g}."
                self.fault(Reason.VALUE_OUT_OF_RANGE, attribute, what)
                return None
        return numbers

    def number(
        self,
        attribute: str,
        parts: Sequence[str] | None,
        *,
        lowest: float = -math.inf,
        highest: float = math.inf,
    ) -> float | None:
        """Return one required number, or None after noting why not."""
        numbers = self.numbers(attribute, parts, count=1, lowest=lowest, highest=highest)
        return None if numbers is None else numbers[0]

    def whole(
        self, attribute: str, parts: Sequence[str] | None, *, lowest: int, highest: int
    ) -> int | None:
        """Return one required whole number, or None after noting why not."""
        number = self.number(attribute, parts, lowest=lowest, highest=highest)
        if number is not None and number != int(number):
            what = f"{attribute} is {number:g}, not a whole number."
            self.fault(Reason.VALUE_OUT_OF_RANGE, attribute, what)
            return None
        return None if number is None else int(number)


def _number(text: str) -> float | None:
    """Return a finite number written as PS3.5 allows for DS and IS; Python's extras are refused."""
    if "_" in text or not text.isascii():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
