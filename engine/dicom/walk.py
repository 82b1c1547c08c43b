"""A walk over the element structure of a data set, without recursion and without values.

It establishes what a parser would otherwise find out the hard way: that no element runs past the
end of the file, how deep sequences nest, and how many elements there are. It runs in the reading
child, before pydicom sees the data (PS3.5, 7.1 and 7.5).
"""

import struct
from dataclasses import dataclass

from engine.dicom.limits import Limits
from engine.dicom.scan import LONG_VRS
from engine.errors import Reason, Refusal, refuse

UNDEFINED = 0xFFFFFFFF
ITEM = (0xFFFE, 0xE000)
ITEM_END = (0xFFFE, 0xE00D)
SEQUENCE_END = (0xFFFE, 0xE0DD)
RT_GROUPS = frozenset({0x3002, 0x3004, 0x3006, 0x3008, 0x300A, 0x300C})
"""In implicit encoding a defined-length sequence looks like any value; it is looked into only in
the RT groups and only when it starts with an item tag."""


@dataclass(frozen=True)
class Encoding:
    """Byte order (as `struct` writes it) and whether value representations are explicit."""

    order: str
    explicit: bool


@dataclass(frozen=True)
class Structure:
    """What the walk counted."""

    elements: int
    depth: int


@dataclass(frozen=True)
class _Element:
    tag: tuple[int, int]
    vr: bytes
    length: int
    value_at: int


def walk(data: bytes, start: int, limits: Limits, where: str, coding: Encoding) -> Structure:
    """Walk a data set from ``start`` to the end of ``data``.

    Raises
    ------
    Refusal
        TRUNCATED, NESTED_TOO_DEEP or TOO_MANY_ELEMENTS, with the byte offset.
    """
    walker = _Walker(data, limits, where, coding)
    at = start
    while not walker.finished(at):
        at = walker.step(at)
    return Structure(walker.count, walker.deepest)


class _Walker:
    """The open sequences at one place of the file, and what was counted on the way there."""

    def __init__(self, data: bytes, limits: Limits, where: str, coding: Encoding) -> None:
        self.data = data
        self.limits = limits
        self.where = where
        self.coding = coding
        self.count = 0
        self.deepest = 0
        self._open: list[tuple[int, Encoding]] = []  # end offset, and the encoding outside

    def finished(self, at: int) -> bool:
        """Close the sequences that end here and return whether the data set does too."""
        while self._open and self._open[-1][0] != UNDEFINED and at >= self._open[-1][0]:
            self._close()
        return at >= len(self.data) and not self._open

    def step(self, at: int) -> int:
        """Pass one element, or go into it when it is a sequence; return where the next begins."""
        element = self._element(at)
        self.count += 1
        if self.count > self.limits.elements:
            what = f"More than {self.limits.elements} data elements."
            raise refuse(Reason.TOO_MANY_ELEMENTS, self.where, what)
        if element.tag == SEQUENCE_END and self._open:
            self._close()
        if element.tag in {ITEM, ITEM_END, SEQUENCE_END}:
            return element.value_at
        if element.length != UNDEFINED and element.value_at + element.length > len(self.data):
            raise self._overrun(element, at)
        if not self._is_sequence(element):
            return element.value_at + element.length
        self._enter(element, at)
        return element.value_at

    def _element(self, at: int) -> _Element:
        order = self.coding.order
        try:
            group, number = struct.unpack_from(f"{order}HH", self.data, at)
            if group == 0xFFFE or not self.coding.explicit:
                length = struct.unpack_from(f"{order}I", self.data, at + 4)[0]
                return _Element((group, number), b"", length, at + 8)
            vr = self.data[at + 4 : at + 6]
            if vr in LONG_VRS:
                length = struct.unpack_from(f"{order}I", self.data, at + 8)[0]
                return _Element((group, number), vr, length, at + 12)
            length = struct.unpack_from(f"{order}H", self.data, at + 6)[0]
            return _Element((group, number), vr, length, at + 8)
        except struct.error as error:
            what = f"The file ends inside an element at byte {at}."
            raise refuse(Reason.TRUNCATED, self.where, what) from error

    def _is_sequence(self, element: _Element) -> bool:
        if element.vr == b"SQ" or element.length == UNDEFINED:
            return True
        hidden = not element.vr and element.length >= 8 and element.tag[0] in RT_GROUPS
        item = struct.pack(f"{self.coding.order}HH", *ITEM)
        first = self.data[element.value_at : element.value_at + 4]
        return (hidden or element.vr == b"UN") and first == item

    def _enter(self, element: _Element, at: int) -> None:
        ends = UNDEFINED if element.length == UNDEFINED else element.value_at + element.length
        self._open.append((ends, self.coding))
        if element.vr == b"UN":  # its items are implicit little endian (PS3.5, 6.2.2, note 2)
            self.coding = Encoding("<", explicit=False)
        self.deepest = max(self.deepest, len(self._open))
        if self.deepest > self.limits.nesting_depth:
            what = f"Sequences nest deeper than {self.limits.nesting_depth} levels at byte {at}."
            raise refuse(Reason.NESTED_TOO_DEEP, self.where, what)

    def _close(self) -> None:
        _, self.coding = self._open.pop()

    def _overrun(self, element: _Element, at: int) -> Refusal:
        what = (
            f"Element ({element.tag[0]:04X},{element.tag[1]:04X}) at byte {at} claims "
            f"{element.length} bytes; the file has {len(self.data) - element.value_at} left."
        )
        return refuse(Reason.TRUNCATED, self.where, what)
