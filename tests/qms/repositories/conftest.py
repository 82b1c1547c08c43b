"""Real Git repositories, written through fast-import."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FIRST_SECOND = 1_700_000_000


class SourceRepository:
    """A repository as a team would have it: commits are added one message at a time."""

    def __init__(self, folder: Path, branch: str) -> None:
        self.folder = folder
        self.branch = branch
        self.count = 0
        subprocess.run(["git", "init", "-q", "-b", branch, str(folder)], check=True)

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments],
            input=stdin,
            check=True,
            capture_output=True,
        )
        return done.stdout.decode()

    def add(self, *messages: str, path: str = "engine/dvh/metrics.py") -> str:
        """Commit each message in turn and return the last commit's name."""
        lines: list[bytes] = []
        for position, message in enumerate(messages):
            continued = self.count > 0 and position == 0
            self.count += 1
            text = message.encode()
            content = str(self.count).encode()
            lines += [
                f"commit refs/heads/{self.branch}\n".encode(),
                f"committer Amara Kole <ak@example.org> {FIRST_SECOND + self.count} +0000\n".encode(),
                b"data %d\n%s\n" % (len(text), text),
                f"from refs/heads/{self.branch}^0\n".encode() if continued else b"",
                f"M 100644 inline {path}\n".encode(),
                b"data %d\n%s\n" % (len(content), content),
            ]
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(lines))
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", self.branch).strip()

    def tag(self, name: str, *, annotated: bool = False, force: bool = False) -> None:
        options = ["-a", "-m", name] if annotated else []
        identity = ["-c", "user.name=Amara Kole", "-c", "user.email=ak@example.org"]
        self.git(*identity, "tag", *options, *(["-f"] if force else []), name, self.branch)


@pytest.fixture
def new_source(tmp_path: Path) -> Iterator[Callable[..., SourceRepository]]:
    made: list[SourceRepository] = []

    def make(branch: str = "trunk") -> SourceRepository:
        made.append(SourceRepository(tmp_path / f"source-{len(made)}", branch))
        return made[-1]

    yield make


@pytest.fixture
def source(new_source: Callable[..., SourceRepository]) -> SourceRepository:
    return new_source()
