"""Each cell says how one person stands to one document, as the check before a signature does."""

from datetime import date, timedelta

import pytest

from qms.training import Training, TrainingRecord
from qms.training_matrix.matrix import (
    Cell,
    Member,
    Standing,
    changes_of,
    columns_of,
    rows_of,
)

TODAY = date(2026, 5, 20)
SINCE = date(2026, 5, 1)
EARLIER, LATER = TODAY - timedelta(days=3), TODAY + timedelta(days=3)

BEN = Member("PPL-BT", "Ben Tarrant", ("developer", "tester"))


def record(*trainings: Training, revision: int | None = 2) -> TrainingRecord:
    """Testers are trained on DOC-VVP."""
    documents = {"DOC-VVP": revision} if revision else {}
    return TrainingRecord(
        {"tester": ("DOC-VVP",), "user": ("DOC-IFU",)},
        documents,
        {BEN.uid: trainings},
        {"DOC-VVP": SINCE},
    )


def trained(
    revision: int | None, done: date | None, *, signed: bool = True, due: date | None = None
) -> Training:
    return Training(BEN.uid, "DOC-VVP", revision, done, due, signed, "TRN-001")


def cell(given: TrainingRecord, member: Member = BEN) -> Cell:
    [row] = rows_of(given, columns_of(given, {"DOC-VVP": "Plan"}), [member], TODAY)
    return row.cells[1]


@pytest.mark.parametrize(
    ("given", "standing", "detail"),
    [
        (record(trained(2, EARLIER)), "trained", "revision 2 on 2026-05-17"),
        (record(trained(2, EARLIER, signed=False)), "unsigned", "revision 2 on 2026-05-17"),
        (
            record(trained(1, EARLIER)),
            "older revision",
            "revision 1 on 2026-05-17; revision 2 is in force",
        ),
        (
            record(trained(2, SINCE - timedelta(days=1))),
            "older revision",
            "revision 2 before it was approved on 2026-05-01",
        ),
        (record(trained(2, None, due=LATER)), "due", "by 2026-05-23"),
        (record(trained(2, None, due=TODAY)), "due", "by 2026-05-20"),
        (record(trained(2, None, due=EARLIER)), "overdue", "by 2026-05-17"),
        (
            record(trained(1, EARLIER), trained(2, None, due=LATER)),
            "due",
            "by 2026-05-23; trained on revision 1",
        ),
        (record(trained(2, LATER)), "missing", "never trained on it"),
        (record(), "missing", "never trained on it"),
        (record(revision=None), "not in force", "nobody can be trained on it"),
    ],
)
def test_cell_says_the_worst_that_is_true(given, standing, detail) -> None:
    found = cell(given)

    assert (found.standing, found.detail) == (standing, detail)
    assert found.roles == ("tester",)
    assert found.lacks == bool(given.lacking(BEN.uid, ["tester"], TODAY))
    named = standing not in ("missing", "not in force")
    assert found.training == ("TRN-001" if named else "")


def test_who_holds_no_role_that_asks_is_not_asked() -> None:
    found = cell(record(), Member("PPL-HO", "Hugo Okafor", ("user",)))

    assert (found.standing, found.lacks) == (Standing.NOT_ASKED, False)


def test_what_a_new_training_mends_is_begun() -> None:
    begun = {
        given: cell(trainings).can_be_begun
        for given, trainings in {
            "missing": record(),
            "older": record(trained(1, EARLIER)),
            "due": record(trained(2, None, due=LATER)),
            "unsigned": record(trained(2, EARLIER, signed=False)),
            "trained": record(trained(2, EARLIER)),
            "not in force": record(revision=None),
        }.items()
    }

    assert [name for name, may in begun.items() if may] == ["missing", "older", "due"]


def test_change_names_who_was_trained_before_it_and_is_not_trained_since() -> None:
    for given, people in (
        (record(trained(1, EARLIER)), ["PPL-BT"]),
        (record(trained(1, EARLIER), trained(2, None, due=LATER)), ["PPL-BT"]),
        (record(trained(1, EARLIER), trained(2, EARLIER)), []),
        (record(), []),
    ):
        rows = rows_of(given, columns_of(given, {}), [BEN], TODAY)

        found = changes_of(rows, given)

        assert [m.uid for one in found for m in one.people] == people
        assert [(one.column.document, one.before) for one in found] == [("DOC-VVP", 1)] * len(found)


def test_columns_are_what_the_roles_ask_for_in_order() -> None:
    matrix = {"tester": ("DOC-10", "DOC-9"), "user": ("DOC-9",)}
    found = columns_of(TrainingRecord(matrix, {"DOC-9": 3}, {}), {"DOC-9": "Nine"})

    assert [(one.document, one.revision, one.roles) for one in found] == [
        ("DOC-9", 3, ("tester", "user")),
        ("DOC-10", None, ("tester",)),
    ]
