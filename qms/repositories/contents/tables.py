"""What a release contains, as a table: one row for each commit and each record that it names."""

from collections.abc import Mapping, Sequence

from core.exports import Sheet
from qms.repositories.answers import CommitTold, Contents


def contents_sheet(project: str, contents: Contents) -> Sheet:
    """Return the commits of a release with what they name; one that names nothing has a row too."""
    return Sheet(
        title=f"Contents {contents.release}",
        headings=(
            "Role",
            "Record",
            "Record title",
            "Repository",
            "Commit",
            "Subject",
            "Pull request",
            "Title",
            "Named by",
        ),
        rows=[row for one in contents.commits for row in _rows(one, contents.titles)],
        about={
            "Project": project,
            "Release": contents.release,
            "Since": ", ".join(contents.since) or "the first commit",
            **{name.capitalize(): str(count) for name, count in contents.counts.items()},
        },
    )


def _rows(one: CommitTold, titles: Mapping[str, str]) -> Sequence[tuple[str, ...]]:
    label, title = (one.request.label, one.request.title) if one.request else ("", "")
    by = f"pull request {one.via}" if one.via else "the commit"
    about = (one.repository, one.sha, one.subject, label, title)
    named = [(role, uid, titles[uid], *about, by) for role, uid in one.named]
    return named or [("without trace", "", "", *about, "")]
