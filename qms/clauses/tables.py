"""The clauses as plain values and as a table for export: the counts and words of the page. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from core.exports import Sheet
from core.records.snapshot import RecordView
from qms.clauses.service import ClauseFile
from qms.clauses.standing import MEANINGS, AskingRule, ClauseAnswer, Exclusion, Speaker

HEADINGS = (
    "Framework", "Clause", "Title", "Standing", "In force", "Drafts", "Checks", "Excluded because",
    "What is missing",
)  # fmt: skip

MOST_NAMED = 200
"""Records named in one cell; the JSON of the clause names them all."""

CAUTION = (
    "Lists the records that speak to a clause. Whether they do what it asks is for people to judge."
)


def sheet(file: ClauseFile, shown: Sequence[ClauseAnswer], shown_as: str) -> Sheet:
    """Return the clauses shown, in their order."""
    return Sheet(
        title=f"Clauses {file.project}",
        headings=HEADINGS,
        rows=[_row(file, one) for one in shown],
        about={
            "Project": file.project,
            "Release": file.release.label if file.release else "none: the record alone",
            "Shown": shown_as,
            "Rows": f"{len(shown)} of {len(file.all())}",
            "Judged for": file.today,
            "Note": CAUTION,
        },
    )


def _row(file: ClauseFile, one: ClauseAnswer) -> tuple[str, ...]:
    return (
        file.book.lists[one.framework].name,
        one.clause,
        one.title,
        one.standing.value,
        _uids(one.in_force),
        _uids(one.drafts),
        "\n".join(f"{rule.result.code} {one.told(rule)}" for rule in one.rules),
        "\n".join(f"{e.record.uid}: {e.reason}" for e in one.exclusions if e.holds),
        "\n".join((*one.gaps, *([one.not_asked] if one.not_asked else []))),
    )


def _uids(speakers: Sequence[Speaker]) -> str:
    named = [one.record.uid for one in speakers[:MOST_NAMED]]
    more = len(speakers) - len(named)
    return "\n".join([*named, *([f"and {more} more"] if more else [])])


def file_as_json(file: ClauseFile, shown: Iterable[ClauseAnswer]) -> dict[str, Any]:
    """Return the clauses shown as plain values, with the counts of every framework."""
    return {
        "project": file.project,
        "release": file.release.uid if file.release else "",
        "today": file.today,
        "note": CAUTION,
        "frameworks": [
            {
                "key": key,
                "name": one.name,
                "clauses": len(one.titles),
                "counts": {word.value: number for word, number in file.counts(key).items()},
            }
            for key, one in file.book.lists.items()
        ],
        "clauses": [_summary(one) for one in shown],
        "unknown_pointers": [
            {"said_by": who, "pointer": pointer} for who, pointer in file.answers.unknown
        ],
        "changes": list(file.changes),
    }


def _summary(one: ClauseAnswer) -> dict[str, Any]:
    return {
        "framework": one.framework,
        "clause": one.clause,
        "title": one.title,
        "standing": one.standing.value,
        "in_force": len(one.in_force),
        "drafts": len(one.drafts),
        "checks": {rule.result.code: rule.result.word.value for rule in one.rules},
        "findings": len(one.findings),
        "gaps": list(one.gaps),
        "not_asked": one.not_asked,
    }


def clause_as_json(file: ClauseFile, one: ClauseAnswer) -> dict[str, Any]:
    """Return one clause with everything that speaks to it, as plain values."""
    return {
        **_summary(one),
        "project": file.project,
        "release": file.release.uid if file.release else "",
        "today": file.today,
        "name": file.book.lists[one.framework].name,
        "meaning": MEANINGS[one.standing],
        "note": CAUTION,
        "in_force": [_speaker(each) for each in one.in_force],
        "drafts": [_speaker(each) for each in one.drafts],
        "checks": [
            {**_rule(each), "not_looked_at": [record.uid for record in one.unseen_by(each)]}
            for each in one.rules
        ],
        "exclusions": [_exclusion(each) for each in one.exclusions],
        "would_fill": [
            {"type": each.type, "label": each.label, "when": each.when} for each in one.fillers
        ],
        "questions": [{"code": each.code, "asks": each.asks} for each in one.questions],
        "audited": [_speaker(each) for each in one.audited],
    }


def _record(record: RecordView) -> dict[str, Any]:
    return {
        "project": record.key.project,
        "uid": record.uid,
        "title": record.title,
        "type": record.type,
        "state": record.state,
        "revision": record.revision,
        "address": record.address,
    }


def _speaker(one: Speaker) -> dict[str, Any]:
    named_by = "the record" if one.own else "its type"
    return {**_record(one.record), "pointers": list(one.pointers), "named_by": named_by}


def _rule(one: AskingRule) -> dict[str, Any]:
    return {
        "code": one.result.code,
        "title": one.result.title,
        "verdict": one.result.word.value,
        "reason": one.result.reason,
        "remark": one.result.remark,
        "pointers": list(one.pointers),
        "looked_at": one.result.looked_at,
        "passed": [each.uid for each in one.passed],
        "findings": [
            {
                "record": each.record.uid,
                "sentence": each.sentence,
                "mend": each.mend,
                "address": each.address,
                "level": each.level.value,
                "waiver": each.waiver,
            }
            for each in one.result.findings
        ],
    }


def _exclusion(one: Exclusion) -> dict[str, Any]:
    return {
        **_record(one.record),
        "pointer": one.pointer,
        "reason": one.reason,
        "holds": one.holds,
        "problem": one.problem,
        "approved_by": list(one.approved_by),
    }
