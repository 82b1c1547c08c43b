"""Tell the answers about code and records in lines of words, for a terminal."""

from collections.abc import Iterable

from qms.repositories.answers import CommitTold, Contents
from qms.repositories.asking import Answers


def answers_in_words(found: Answers) -> str:
    """Return every finding, one per line below its heading."""
    parts = [
        _part("Commits without a trace", map(_commit, found.untraced)),
        _part("Requirements that neither a commit nor a marker names", found.without_code),
        _part(
            "Requirements that changed after their last verifying run",
            (
                f"{one.uid} revision {one.revision}, in force since "
                f"{one.approved_at:%Y-%m-%d %H:%M}Z; {one.test} ran last in run {one.run}, "
                f"{one.ran_at:%Y-%m-%d %H:%M}Z"
                for one in found.changed_since
            ),
        ),
        _part(
            "Marked lines that need re-review",
            (
                f"{one.uid} {one.repository} {one.link.path}:{one.link.first}-{one.link.last}: "
                f"{one.doubt}"
                for one in found.doubtful
            ),
        ),
    ]
    return "\n".join(parts)


def contents_in_words(contents: Contents) -> str:
    """Return the records and commits of a release, one per line."""
    since = f" since {', '.join(contents.since)}" if contents.since else ", the first one"
    parts = [f"{contents.release}{since}: {len(contents.commits)} commits"]
    for role, records in contents.records.items():
        lines = (f"{uid} {contents.titles[uid]}: {_short(shas)}" for uid, shas in records.items())
        parts.append(_part(role.capitalize(), lines))
    parts.append(
        _part("Pull requests", (f"{one}: {_short(shas)}" for one, shas in contents.requests))
    )
    parts.append(_part("Commits without a trace", map(_commit, contents.untraced)))
    return "\n".join(parts)


def _part(heading: str, lines: Iterable[str]) -> str:
    told = list(lines)
    return "\n".join([f"{heading}: {len(told) or 'none'}", *(f"  {line}" for line in told)])


def _commit(one: CommitTold) -> str:
    request = f" ({one.request})" if one.request else ""
    return f"{one.repository} {one.sha[:12]} {one.subject}{request}"


def _short(shas: tuple[str, ...]) -> str:
    return ", ".join(sha[:12] for sha in shas)
