"""Numbers are taken as PS3.5 writes them; everything else is a fault with its code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dicom.values import Checked
from engine.errors import Reason


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_every_finite_number_is_read_back(number: float) -> None:
    checked = Checked("a.dcm")

    assert checked.number("X", [repr(number)]) == number
    assert not checked.faults


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-Infinity", "1_000", "0x10", "1,5", "٣", "1 2", "e"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    checked = Checked("a.dcm")

    assert checked.number("X", [text]) is None
    assert [fault.code for fault in checked.faults] == [Reason.VALUE_NOT_NUMERIC]


@pytest.mark.parametrize("parts", [None, [], [""], ["", ""]])
def test_absent_and_empty_values_are_missing(parts: list[str] | None) -> None:
    checked = Checked("a.dcm")

    assert checked.numbers("X", parts) is None
    assert [fault.code for fault in checked.faults] == [Reason.VALUE_MISSING]


def test_limits_are_inclusive_and_named() -> None:
    checked = Checked("a.dcm")

    assert checked.number("X", ["5"], lowest=0, highest=5) == 5
    assert checked.number("X", ["5.1"], lowest=0, highest=5) is None
    assert "5.1" in checked.faults[0].what
    assert checked.whole("Y", ["2.5"], lowest=1, highest=9) is None
    assert checked.numbers("Z", ["1", "2"], count=3) is None
    assert [f.code for f in checked.faults[1:]] == [Reason.VALUE_OUT_OF_RANGE, Reason.VALUE_COUNT]
