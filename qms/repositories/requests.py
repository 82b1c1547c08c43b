"""Recognise the merge commit of a hosting service: which pull request it is, and what that says.

Pure. Only the forms that the services write themselves are known; any other merge is a merge.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_BODY = 20_000
"""Characters of a merge's message that are looked at."""

LONGEST_TITLE = 300

_SUBJECTS = (
    # GitHub, Bitbucket Server, Gitea and Forgejo; the last two carry the title.
    re.compile(r"Merge pull request #(?P<number>\d{1,9}) (?:from|in) \S.*"),
    re.compile(r"Merge pull request '(?P<title>.*)' \(#(?P<number>\d{1,9})\) from \S.*"),
    re.compile(r"Merged in \S+ \(pull request #(?P<number>\d{1,9})\)"),
    # Azure DevOps.
    re.compile(r"Merged PR (?P<number>\d{1,9}): (?P<title>.*)"),
)
_GITLAB = re.compile(
    r"^See merge request (?P<place>[\w./~-]{0,200})!(?P<number>\d{1,9})$", re.MULTILINE
)
_SERVICE_LINE = re.compile(r"(See merge request|Related work items:|Approved-by:)(\s|$)")
_TRAILER = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]{0,60}):[ \t]+(?P<value>\S.*)")


@dataclass(frozen=True)
class Request:
    """A pull request, as the merge of it tells.

    Attributes
    ----------
    label : str
        As its service writes it: "#12", "physics/metrics!12".
    """

    label: str
    title: str


def request_of(subject: str, body: str) -> Request | None:
    r"""Return the pull request that a merge's message names; None where it names none.

    Examples
    --------
    >>> request_of("Merge pull request #12 from amara/margins", "Widen the margins")
    Request(label='#12', title='Widen the margins')
    >>> request_of("Merge branch 'm' into 'main'", "Margins\n\nSee merge request rt/dose!7")
    Request(label='rt/dose!7', title='Margins')
    """
    said = body[:LONGEST_BODY]
    for form in _SUBJECTS:
        found = form.fullmatch(subject)
        if found:
            title = found.groupdict().get("title") or _first_line(said)
            return Request(f"#{found['number']}", title.strip()[:LONGEST_TITLE])
    merged = _GITLAB.search(said)
    if merged and subject.startswith("Merge branch "):
        return Request(f"{merged['place']}!{merged['number']}", _first_line(said))
    return None


def trailers_of_request(body: str) -> list[tuple[str, str]]:
    r"""Return the trailers above the lines that a service adds, which Git takes for the last ones.

    Examples
    --------
    >>> trailers_of_request("Margins\n\nImplements: REQ-1\n\nSee merge request rt/dose!7")
    [('Implements', 'REQ-1')]
    """
    lines = [
        line.strip()
        for line in body[:LONGEST_BODY].split("\n")
        if not _SERVICE_LINE.match(line.strip())
    ]
    last = "\n".join(lines).strip().split("\n\n")[-1].strip().split("\n")
    found: Sequence[re.Match[str] | None] = [_TRAILER.fullmatch(line) for line in last]
    return [(one["key"], one["value"]) for one in found if one] if all(found) else []


def _first_line(body: str) -> str:
    lines = (line.strip() for line in body.split("\n"))
    first = next((line for line in lines if line), "")
    return "" if _SERVICE_LINE.match(first) or _TRAILER.fullmatch(first) else first[:LONGEST_TITLE]
