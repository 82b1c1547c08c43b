"""Each risk stands in exactly one cell of each matrix, or is counted as not evaluated."""

from core.verdicts import Verdict, VerdictWord
from qms.risks.grid import Moment, grid, standing_at
from qms.risks.packs import matrix_packs
from qms.risks.residual import Position, assess

NHS = matrix_packs()["nhs-dcb-5x5"]


def assessed(book):
    for number, (severity, before, after) in enumerate(
        [(4, 3, 1), (4, 3, 1), (3, 3, 1), (99, 3, 1)], start=1
    ):
        uid = f"RSK-{number:03d}"
        book.add("risk", uid, severity=severity, likelihood_before=before, likelihood_after=after)
        book.add("requirement", f"REQ-{number:03d}")
        book.add("test", f"TST-{number:03d}")
        book.link(f"REQ-{number:03d}", "mitigates", uid, kind="protective")
        book.link(f"TST-{number:03d}", "verifies", f"REQ-{number:03d}")
    snapshot = book.snapshot()
    verdicts = {book.key("TST-001"): Verdict(VerdictWord.PASSED)}
    return [assess(snapshot, risk, NHS, verdicts) for risk in snapshot.of_type("risk", "RPM")]


def counts(drawn):
    return {cell.position: cell.count for row in drawn.rows for cell in row.cells if cell.count}


def test_before_and_after_count_every_risk_once(book) -> None:
    assessments = assessed(book)

    before, after = (grid(assessments, NHS, moment) for moment in Moment)

    assert counts(before) == {Position(4, 3): 2, Position(3, 3): 1}
    assert counts(after) == {Position(4, 1): 1, Position(4, 3): 1, Position(3, 3): 1}
    assert before.unplaced == after.unplaced == 1


def test_the_grid_has_the_highest_likelihood_on_top_and_every_cell_its_level(book) -> None:
    drawn = grid([], NHS, Moment.BEFORE)

    assert [row.likelihood for row in drawn.rows] == list(reversed(NHS.likelihood))
    assert [[cell.level.number for cell in row.cells] for row in drawn.rows] == [
        list(row) for row in reversed(NHS.cells)
    ]


def test_a_cell_filters_exactly_the_risks_it_counts(book) -> None:
    assessments = assessed(book)

    for moment in Moment:
        for position, count in counts(grid(assessments, NHS, moment)).items():
            assert len(standing_at(assessments, moment, position)) == count
