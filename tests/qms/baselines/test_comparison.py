"""Root hash and difference of baselines, as plain values."""

from hypothesis import given
from hypothesis import strategies as st

from qms.baselines.comparison import BaselineLine, compare, root_hash

LINES = st.lists(
    st.builds(
        BaselineLine,
        st.sampled_from(["RPM", "DEPT"]),
        st.from_regex(r"[A-Z]{2}-[0-9]{3}", fullmatch=True),
        st.integers(1, 9),
        st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    ),
    unique_by=lambda line: (line.project, line.uid),
    max_size=20,
)


@given(LINES)
def test_the_order_of_lines_does_not_matter_and_nothing_differs_from_itself(lines) -> None:
    assert root_hash(lines) == root_hash(reversed(lines))
    assert compare(lines, list(reversed(lines))).same


@given(LINES, LINES)
def test_equal_roots_mean_equal_baselines(before, after) -> None:
    assert (root_hash(before) == root_hash(after)) == compare(before, after).same


@given(LINES, LINES)
def test_a_difference_leads_from_one_to_the_other(before, after) -> None:
    diff = compare(before, after)

    kept = set(before) - set(diff.removed) - {one.before for one in diff.changed}
    assert kept | set(diff.added) | {one.after for one in diff.changed} == set(after)


def test_two_baselines_of_ten_thousand_records_are_compared() -> None:
    before = [BaselineLine("RPM", f"REQ-{n:05d}", 1, f"{n:064x}") for n in range(10_000)]
    after = [*before[:9_000], *(BaselineLine("RPM", f"NEW-{n}", 1, "0") for n in range(1_000))]

    diff = compare(before, after)

    assert (len(diff.added), len(diff.removed), len(diff.changed)) == (1_000, 1_000, 0)
