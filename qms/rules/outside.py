"""What other tools say of the record: imported results of tests, and marked lines of source."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections.abc import Iterator, Mapping

from core.records.snapshot import Key, RecordView
from qms.results.judging import Bearing, Standing, above, speaks
from qms.rules.facts import LinesFact
from qms.rules.findings import Flaw
from qms.rules.view import Subjects, View, rule

_SCOPE = ("delivers", "meets", "tested_by")
_UNKNOWN = frozenset({Standing.MISSING, Standing.STALE, Standing.SKIPPED})


def _bearing(view: View) -> Mapping[Key, tuple[Bearing, ...]]:
    """Return, for each record of the release, the imported results that it rests on."""

    def find() -> dict[Key, tuple[Bearing, ...]]:
        scope = {record.key for role in _SCOPE for record in view.of_release(role)}
        found: dict[Key, tuple[Bearing, ...]] = {}
        for uid, result in sorted(view.facts.imported.items()):
            about = Key(view.project, uid)
            named = view.snapshot.records.get(about)
            if named is None or named.withdrawn:
                continue
            for reached, through in above(view.snapshot, about).items():
                if reached in scope and not _leaves(view, (about, *through)):
                    found[reached] = (*found.get(reached, ()), Bearing(about, result, through))
        return found

    return view.once("imported results", find)


def _leaves(view: View, way: tuple[Key, ...]) -> bool:
    """Whether a way leads over a requirement that the release does not deliver.

    What a need waits for until a later release is no fault of this one.
    """
    return any(
        view.snapshot.records[key].type == "requirement" and key not in view.delivered
        for key in way
    )


_NAMED = Subjects(
    "records of the release that imported results bear on",
    lambda view: (
        [view.snapshot.records[key] for key in sorted(_bearing(view))]
        if view.release_commit
        else []
    ),
)


@rule("E21", "No imported test result speaks against a record of the release", _NAMED)
def imported_results_agree(view: View, record: RecordView) -> Iterator[Flaw]:
    """What was imported at the release's commit is a pass, told once, at the requirement."""
    for one in _bearing(view)[record.key]:
        result = one.result
        if not speaks(result, view.given.verdicts.get(one.about.uid)):
            continue
        ways = above(view.snapshot, one.about)
        if record.key not in view.delivered and not view.delivered.isdisjoint(ways):
            continue
        about = "" if one.about == record.key else f"{one.about.uid}: "
        unknown = result.standing in _UNKNOWN
        yield Flaw(
            f"is not verified at commit {view.release_commit[:7]}: {about}"
            f"{result.detail.rstrip('.')}.",
            "Run its tests on the release's commit and import what they report."
            if unknown
            else "Mend it, or what tested it, and import the results of the commit as a rerun.",
            address=result.address,
        )


def _marked(view: View) -> Mapping[Key, tuple[LinesFact, ...]]:
    """Return the marked lines of each record that is in force."""

    def find() -> dict[Key, tuple[LinesFact, ...]]:
        found: dict[Key, tuple[LinesFact, ...]] = {}
        for one in view.facts.lines:
            record = view.snapshot.records.get(one.record)
            if record is not None and not record.withdrawn:
                found[one.record] = (*found.get(one.record, ()), one)
        return found

    return view.once("marked lines", find)


_WITH_LINES = Subjects(
    "records that lines of source are marked with",
    lambda view: [view.snapshot.records[key] for key in sorted(_marked(view))],
)


@rule("A16", "No marked line of source needs re-review", _WITH_LINES)
def marked_lines_hold(view: View, record: RecordView) -> Iterator[Flaw]:
    """Code that is marked with a record says what it said when the record was approved."""
    for one in _marked(view)[record.key]:
        if one.doubt:
            yield Flaw(
                f"needs re-review against {one.told}.",
                "Read what changed: accept the lines with a reason, or revise the record. "
                "What the default branch no longer holds is not accepted: release another commit. "
                "A commit that was not read yet wants a scan of its repository.",
                address=one.address,
            )
