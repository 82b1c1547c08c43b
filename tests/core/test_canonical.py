"""The canonical form: one content, one digest."""

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from core.canonical import DEEPEST_NESTING, NotCanonical, canonical_json, digest, read_json, rfc3339
from tests.effort import effort

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
CONTENT = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
USUAL = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner)
    ),
    max_leaves=20,
)


def test_example_of_rfc_8785_gives_the_published_bytes() -> None:
    """RFC 8785, section 3.2.2 (numbers and strings) and 3.2.3 (order of keys)."""
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\x0f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }

    written = canonical_json(value)

    assert written == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_ordered_by_utf_16_units_as_rfc_8785_asks() -> None:
    value = {"\U0001f600": 1, "\ufb33": 2, "ö": 3, "1": 4, "\r": 5}

    keys = list(json.loads(canonical_json(value)))

    assert keys == ["\r", "1", "ö", "\U0001f600", "\ufb33"]


@given(CONTENT)
def test_what_is_written_reads_back_as_the_same_content(value) -> None:
    assert read_json(canonical_json(value)) == value


@given(CONTENT)
def test_what_was_read_back_has_the_same_digest(value) -> None:
    assert digest(read_json(canonical_json(value))) == digest(value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b'{"dose": NaN}', "NaN is not a JSON number"),
        (b'{"dose": ', "this is not JSON"),
        (b'{"dose": "\xff"}', "this is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_json_that_could_be_read_in_two_ways_is_refused(data, message) -> None:
    with pytest.raises(NotCanonical, match=message):
        read_json(data)


@given(CONTENT)
def test_the_bytes_are_those_of_the_rfc8785_package(value) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(USUAL)
def test_usual_content_has_the_bytes_of_the_rfc8785_package(value) -> None:
    """What Python's own encoder writes: ASCII keys, integers, and any text as a value."""
    assert canonical_json(value) == rfc8785.dumps(value)


def test_order_of_keys_and_kind_of_container_do_not_change_the_digest() -> None:
    one = {"a": [1, 2], "b": {"c": 1.0}}
    other = MappingProxyType({"b": MappingProxyType({"c": 1}), "a": (1, 2)})

    assert digest(one) == digest(other)


def test_times_are_written_in_utc_whatever_zone_they_were_given_in() -> None:
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=1)))

    assert canonical_json([summer, date(2026, 7, 1)]) == (
        b'["2026-07-01T11:00:00.000000Z","2026-07-01"]'
    )
    assert rfc3339(summer) == "2026-07-01T11:00:00.000000Z"


class _State(StrEnum):
    DRAFT = "draft"


def test_a_named_state_is_written_as_its_text() -> None:
    assert canonical_json([_State.DRAFT]) == b'["draft"]'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"fields": {"dose": [1.0, math.nan]}}, "fields.dose[1]: nan is not a JSON number"),
        ([-math.inf], "[0]: -inf is not a JSON number"),
        ({"a": {1: "one"}}, "a: the key 1 is not text"),
        ({"at": datetime(2026, 7, 1, tzinfo=UTC).replace(tzinfo=None)}, "at: the time 2026-07-01"),
        ({"count": 2**53}, "count: the integer 9007199254740992 is beyond 2**53 - 1"),
        ({"x": b"bytes"}, "x: a bytes has no JSON form"),
        ({"x": {1, 2}}, "x: a set has no JSON form"),
        ({"x": "\ud800"}, "x: the text holds half of a surrogate pair"),
        ({"\udfff": 1}, "the value: the text holds half of a surrogate pair"),
    ],
)
def test_a_value_without_a_canonical_form_is_refused_with_its_place(value, message) -> None:
    with pytest.raises(NotCanonical) as refusal:
        canonical_json(value)

    assert str(refusal.value).startswith(message)


def test_content_nested_too_deeply_is_refused_instead_of_ending_the_process() -> None:
    value: list = []
    for _ in range(100_000):
        value = [value]

    with pytest.raises(NotCanonical, match=f"deeper than {DEEPEST_NESTING} levels"):
        canonical_json(value)


def test_ten_thousand_records_are_digested_in_reasonable_time() -> None:
    """A full check digests every record; 10,000 of them cost less than 4 s of a quiet machine."""
    record = {
        "project": "RPM", "type": "requirement", "uid": "REQ-0009", "title": "Metric accuracy",
        "body": "The software shall compute ... " * 20,
        "fields": {"category": "functional", "acceptance": "within 0.4 % of the volume" * 4},
        "links": [{"role": "derives_from", "target": f"UN-{n:03}"} for n in range(4)],
    }  # fmt: skip
    assert effort(lambda: [digest(record) for _ in range(10_000)]) < 400
