"""A walk over the element structure of a data set, without recursion and without values.

It establishes what a parser would otherwise find out the hard way: that no element runs past the
end of the file, how deep sequences nest, and how many elements there are. It runs in the reading
child, before pydicom sees the data (PS3.5, 7.1 and 7.5).
"""

import struct
from dataclasses import dataclass

from engine.dicom.limits import Limits
from engine.dicom.scan import LONG_VRS
from engine.errors import Reason, refuse

UNDEFINED = 0xFFFFFFFF
ITEM = (0xFFFE, 0xE000)
ITEM_END = (0xFFFE, 0xE00D)
SEQUENCE_END = (0xFFFE, 0xE0DD)
IMPLICIT_SEQUENCE_GROUPS = frozenset({0x3002, 0x3004, 0x3006, 0x3008, 0x300A, 0x300C})
"""In implicit encoding a defined-length sequence looks like any value; it is looked into only in
the RT groups and only when it starts with an item tag."""


@dataclass(frozen=True)
class Structure:
    """What the walk counted."""

    elements: int
    depth: int


@dataclass(frozen=True)
class _Encoding:
    order: str
    explicit: bool


def _header(data: bytes, at: int, coding: _Encoding) -> tuple[tuple[int, int], bytes, int, int]:
    """Return tag, VR (empty when implicit), value length and value offset of one element."""
    group, element = struct.unpack_from(f"{coding.order}HH", data, at)
    if group == 0xFFFE or not coding.explicit:
        length = struct.unpack_from(f"{coding.order}I", data, at + 4)[0]
        return (group, element), b"", length, at + 8
    vr = data[at + 4 : at + 6]
    if vr in LONG_VRS:
        return (
            (group, element),
            vr,
            struct.unpack_from(f"{coding.order}I", data, at + 8)[0],
            at + 12,
        )
    return (group, element), vr, struct.unpack_from(f"{coding.order}H", data, at + 6)[0], at + 8


def _starts_item(data: bytes, at: int, order: str) -> bool:
    return data[at : at + 4] == struct.pack(f"{order}HH", *ITEM)


def _is_sequence(
    data: bytes, tag: tuple[int, int], vr: bytes, length: int, value: int, order: str
) -> bool:
    if vr == b"SQ":
        return True
    if length == UNDEFINED:
        return True
    implicit_candidate = not vr and length >= 8 and tag[0] in IMPLICIT_SEQUENCE_GROUPS
    return (implicit_candidate or vr == b"UN") and _starts_item(data, value, order)


def walk(
    data: bytes, start: int, limits: Limits, where: str, order: str, explicit: bool
) -> Structure:
    """Walk a data set from ``start`` to the end of ``data``.

    Raises
    ------
    Refusal
        TRUNCATED, NESTED_TOO_DEEP or TOO_MANY_ELEMENTS, with the byte offset.
    """
    coding = _Encoding(order, explicit)
    end = len(data)
    ends: list[int] = []  # end offset of each open sequence; UNDEFINED while delimited
    outer: list[_Encoding] = []  # encoding to return to when that sequence closes
    at, count, deepest = start, 0, 0
    while at < end or ends:
        while ends and ends[-1] != UNDEFINED and at >= ends[-1]:
            ends.pop()
            coding = outer.pop()
        if at >= end and not ends:
            break
        if at + 8 > end:
            raise refuse(Reason.TRUNCATED, where, f"The file ends inside an element at byte {at}.")
        try:
            tag, vr, length, value = _header(data, at, coding)
        except struct.error as error:
            raise refuse(
                Reason.TRUNCATED, where, f"The file ends inside an element at byte {at}."
            ) from error
        count += 1
        if count > limits.elements:
            raise refuse(
                Reason.TOO_MANY_ELEMENTS, where, f"More than {limits.elements} data elements."
            )
        if tag in (ITEM, ITEM_END):
            at = value
            continue
        if tag == SEQUENCE_END:
            if ends:
                ends.pop()
                coding = outer.pop()
            at = value
            continue
        if length != UNDEFINED and value + length > end:
            raise refuse(
                Reason.TRUNCATED,
                where,
                f"Element ({tag[0]:04X},{tag[1]:04X}) at byte {at} claims {length} bytes; "
                f"the file has {end - value} left.",
            )
        if _is_sequence(data, tag, vr, length, value, order):
            ends.append(UNDEFINED if length == UNDEFINED else value + length)
            outer.append(coding)
            if vr == b"UN":  # its items are implicit little endian (PS3.5, 6.2.2, note 2)
                coding = _Encoding("<", explicit=False)
            deepest = max(deepest, len(ends))
            if deepest > limits.nesting_depth:
                raise refuse(
                    Reason.NESTED_TOO_DEEP,
                    where,
                    f"Sequences nest deeper than {limits.nesting_depth} levels at byte {at}.",
                )
            at = value
        else:
            at = value + length
    return Structure(count, deepest)
