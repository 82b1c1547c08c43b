"""Write one tag or note into a repository that somebody names, and read them back.

Nothing is fetched, pushed or checked out, no hook runs, and no text of a person is an argument of
a Git command: tags and notes are made of objects, their names are constants or checked here.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from git import Git, Repo
from git.exc import GitCommandError, InvalidGitRepositoryError, NoSuchPathError

from core.errors import Conflict, Fault, Invalid
from qms.repositories.mirror import NOTES_REF, Mirror, object_name

LONGEST_MESSAGE = 20_000
"""Characters of a tag's or note's message that are looked at."""

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_END = "\0.\0"
"""After each tag: no message holds it, because none holds a NUL."""

_FORM = "--format=%(refname)%00%(objectname)%00%(*objectname)%00%(contents)%00.%00"

_ENVIRONMENT = {
    # A repository may lack objects and name a remote that hands them out: it is not asked.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C.UTF-8",
    # In the environment, so that it holds for every command: -c would for the first one alone.
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "core.hooksPath",
    "GIT_CONFIG_VALUE_0": "/dev/null",
    "GIT_CONFIG_KEY_1": "core.fsmonitor",
    "GIT_CONFIG_VALUE_1": "false",
}


def tag_fault(name: str) -> Fault | None:
    """Return what is wrong with the name of a tag; None where Git and we can use it."""
    parts = name.split("/")
    whole = len(name) <= 100 and all(_PART.fullmatch(part) for part in parts)
    bad = ".." in name or any(part.endswith((".lock", ".")) for part in parts)
    if whole and not bad:
        return None
    what = "is no name of a tag." if not name.startswith("-") else "begins with '-', an option."
    return Fault("GIT12", repr(name[:80]), what, "Use letters, digits, . _ + - and / between them.")


class Workplace:
    """A repository of the team on this machine, where a seal is written or read.

    Raises
    ------
    Invalid
        With code GIT13 if there is no repository, or it is one of the mirrors in `data_dir`.
    """

    def __init__(self, place: str, data_dir: Path, *, reading: bool = False) -> None:
        if place.startswith("-") or not place.isprintable():
            raise _unusable(place, "begins with '-' or holds control characters.")
        self.path = Path(place).expanduser().resolve()
        try:
            with Repo(self.path) as repo:
                self.folders = (Path(repo.git_dir), Path(repo.common_dir))
        except (InvalidGitRepositoryError, NoSuchPathError, ValueError, OSError) as error:
            raise _unusable(place, "is no Git repository.") from error
        mirrors = (data_dir / "repositories").resolve()
        kept = (*self.folders, *(one / "objects" for one in self.folders), self.path)
        if not reading and any(folder.resolve().is_relative_to(mirrors) for folder in kept):
            raise _unusable(place, "is a mirror of this installation, which only scans write.")

    @contextmanager
    def opened(self) -> Iterator[Git]:
        """Give Git for one question; what it refuses is told in its own words."""
        repo = Repo(self.path)
        repo.git.update_environment(**_ENVIRONMENT)
        try:
            yield repo.git
        except GitCommandError as error:
            said = str(error.stderr or error).strip().strip("'").strip()
            raise Conflict(f"Git could not do this in {self.path}: {said[:500]}") from error
        finally:
            repo.close()

    def holds(self, commit: str) -> bool:
        """Whether it holds a commit."""
        with self.opened() as git:
            return _asked(git, "%(objecttype)", object_name(commit)) == "commit"

    def tagged(self, name: str) -> tuple[str, str] | None:
        """Return the commit that a tag names and its message; None where there is no such tag."""
        with self.opened() as git:
            told = str(git.for_each_ref(_FORM, f"refs/tags/{name}"))
        # The pattern also fits what lies below a name.
        wanted = f"refs/tags/{name}"
        return next(((sha, text) for ref, sha, text in _tags_in(told) if ref == wanted), None)

    def notes(self) -> list[tuple[str, str]]:
        """Return the commits that carry a note of ours, each with its text."""
        with self.opened() as git:
            if not str(git.for_each_ref("--format=%(objectname)", NOTES_REF)):
                return []
            pairs = [
                line.split() for line in str(git.notes(f"--ref={NOTES_REF}", "list")).split("\n")
            ]
            return [(commit, _blob(git, blob)) for blob, commit in pairs]

    def write_tag(self, name: str, commit: str, text: str, by: str, at: datetime) -> None:
        """Make an annotated tag; one of that name that came meanwhile is not overwritten."""
        who = re.sub(r"[<>\n\r\0]", " ", by)
        head = f"object {object_name(commit)}\ntype commit\ntag {name}\n"
        head += f"tagger {who} <> {int(at.timestamp())} +0000\n\n"
        with self.opened() as git, tempfile.TemporaryFile() as made:
            made.write((head + text).encode())
            made.seek(0)
            tag = object_name(str(git.mktag("--no-strict", istream=made)))
            git.update_ref(f"refs/tags/{name}", tag, "0" * len(tag))

    def write_note(self, commit: str, text: str) -> None:
        """Add a note to a commit that has none."""
        with self.opened() as git, tempfile.TemporaryFile() as made:
            made.write(text.encode())
            made.seek(0)
            blob = object_name(str(git.hash_object("-w", "--stdin", istream=made)))
            who = {
                f"GIT_{role}_{part}": value
                for role in ("AUTHOR", "COMMITTER")
                for part, value in (("NAME", "Fiducial"), ("EMAIL", "fiducial@localhost"))
            }
            git.notes(f"--ref={NOTES_REF}", "add", "-C", blob, object_name(commit), env=who)


def messages_at(mirror: Mirror, commit: str) -> dict[str, str]:
    """Return the messages of tags and the note that a mirror holds of a commit, by their refs."""
    name = object_name(commit)
    with mirror.opened() as repo:
        told = str(repo.git.for_each_ref(_FORM, f"--points-at={name}", "refs/tags"))
        found = {ref: message for ref, _, message in _tags_in(told) if message}
        if str(repo.git.for_each_ref("--format=%(objectname)", NOTES_REF)):
            listed = str(repo.git.notes(f"--ref={NOTES_REF}", "list")).split("\n")
            for line in listed:
                if line.endswith(f" {name}"):
                    found[NOTES_REF] = _blob(repo.git, line.split()[0])
    return found


def _tags_in(told: str) -> Iterator[tuple[str, str, str]]:
    """Yield ref, commit and message of each tag; the message of one that has none is empty."""
    for entry in told.split(_END):
        ref, _, rest = entry.strip("\n").partition("\0")
        if ref:
            sha, peeled, message = rest.split("\0", 2)
            yield ref, peeled or sha, message[:LONGEST_MESSAGE] if peeled else ""


def _blob(git: Git, name: str) -> str:
    if int(_asked(git, "%(objectsize)", object_name(name)) or 0) > LONGEST_MESSAGE:
        return ""
    content: bytes = git.cat_file("blob", object_name(name), stdout_as_string=False)
    return content.decode("utf-8", "replace")


def _asked(git: Git, what: str, name: str) -> str:
    with tempfile.TemporaryFile() as asked:
        asked.write(f"{name}\n".encode())
        asked.seek(0)
        told = str(git.cat_file(f"--batch-check={what}", istream=asked))
    return "" if told.endswith("missing") else told


def _unusable(place: str, what: str) -> Invalid:
    shown = "".join(char if char.isprintable() else "?" for char in place[:200])
    mend = "Name the folder of a working repository that holds the release's commit."
    return Invalid("This repository cannot be used.", [Fault("GIT13", shown, what, mend)])
