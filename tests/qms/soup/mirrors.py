"""Bare mirrors with commits of any content."""

import tempfile
from pathlib import Path

from git import Repo


def commit(path: Path, files: dict[str, bytes], name: str = "main") -> str:
    """Make a bare mirror, where there is none, with one commit of these files."""
    with Repo.init(path, bare=True, initial_branch="main") as repo, tempfile.TemporaryFile() as out:
        out.write(
            f"commit refs/heads/{name}\ncommitter A <a@example.org> 1700000000 +0000\n".encode()
        )
        out.write(b"data 1\nx\n")
        for place, content in files.items():
            out.write(f"M 100644 inline {place}\n".encode())
            out.write(b"data %d\n%s\n" % (len(content), content))
        out.seek(0)
        repo.git.fast_import("--quiet", "--force", istream=out)
        return repo.commit(name).hexsha
