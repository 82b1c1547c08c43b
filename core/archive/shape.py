"""The members of a project's archive, and what its manifest says."""

from core.safekeeping.archives import Kind

FORMAT = "fiducial-project/1"
PROOF = "manifest.dsse.json"
PAYLOAD_TYPE = "application/vnd.fiducial.project-manifest+json"
TRAIL = "trail/entries.jsonl"
SIGNATURES = "trail/signatures.jsonl"
LARGEST_LINE = 64 << 20
"""A record's text has some kilobytes; a longer line is not ours."""

PROJECT_ARCHIVE = Kind(
    form=FORMAT,
    noun="archive",
    unfit="This is not an archive of a project that can be imported.",
    damaged="The archive is damaged; nothing was imported from it.",
    choose="Choose another archive.",
    beside=frozenset({PROOF}),
    most_unpacked=400,
)


def rows_member(table: str) -> str:
    """Return the member that holds the rows of a table."""
    return f"rows/{table}.jsonl"


def file_member(sha256: str) -> str:
    """Return the member that holds a file."""
    return f"files/{sha256[:2]}/{sha256[2:]}"


def repository_folder(line: int) -> str:
    """Return the folder that holds the Git repository of a line of its table."""
    return f"repositories/{line}.git"
