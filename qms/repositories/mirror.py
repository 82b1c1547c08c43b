"""A bare mirror of one registered repository, and the few questions asked of it with Git.

No text that a person or a commit wrote is ever an argument of a Git command: the address goes into
the mirror's own configuration, revisions are hexadecimal names checked here, refs are constants.
"""

import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote

from git import Git, Repo
from git.exc import GitCommandError

from core.errors import Conflict, Fault, Invalid
from qms.repositories.addresses import Address, Transport
from qms.repositories.last_words import last_words
from qms.repositories.names import name_in_git, readable_name
from qms.repositories.requests import Request, request_of, trailers_of_request
from qms.repositories.trailers import read_trailers

FETCH_SECONDS = 900
"""A first mirror of a large repository over a slow line; a hung remote must not hold a worker."""

READ_BYTES = 1 << 16

NOTES_REF = "refs/notes/fiducial"
"""Where notes of ours are kept in Git; a tag of that name cannot be one."""

LAST_SECOND = 253402300799
"""The end of the year 9999, the last that a datetime can say."""

_OBJECT_NAME = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_LOG_FIELDS = ("%H", "%P", "%an", "%ct", "%s", "%(trailers:only=true,unfold=true)", "%b")
_TAG_FIELDS = ("%(refname:strip=2)", "%(objectname)", "%(*objectname)", "%(creatordate:unix)")
_DONE = {"A": "added", "D": "removed"}
_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C.UTF-8",
}
_SAFE = ("core.hooksPath=/dev/null", "gc.auto=0", "maintenance.auto=false")
_SAFE_FETCH = (*_SAFE, "http.followRedirects=false", "fetch.recurseSubmodules=false")


@dataclass(frozen=True)
class CommitSeen:
    """One commit as the log tells it."""

    sha: str
    parents: int
    author: str
    at: datetime
    subject: str
    trailers: tuple[tuple[str, str], ...]
    request: Request | None = None


@dataclass(frozen=True)
class TagSeen:
    """One tag and the commit it finally names (an annotated tag is peeled)."""

    name: str
    sha: str
    annotated: bool
    at: datetime | None


def object_name(text: str) -> str:
    """Return `text` if it is the full hexadecimal name of a Git object.

    Raises
    ------
    Invalid
        For anything else: an abbreviation, a ref, an option.
    """
    if _OBJECT_NAME.fullmatch(text):
        return text
    raise Invalid(
        "This is not a commit.",
        [Fault("GIT08", repr(text[:80]), "is not a full commit name of 40 or 64 hex digits.")],
    )


class Mirror:
    """A bare mirror at `path`, created when it is first fetched.

    Parameters
    ----------
    path : Path
        The mirror's folder below the data folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """Whether the mirror has been created."""
        return (self.path / "HEAD").is_file()

    def fetch(self, address: Address) -> None:
        """Bring every branch and tag of `address` into the mirror; nothing is ever pruned by gc.

        Raises
        ------
        Conflict
            If Git cannot fetch, with Git's own last words.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        local = address.transport is Transport.LOCAL
        url = f"file://{quote(address.url)}" if local else address.url
        with self.opened(create=True) as repo:
            with repo.config_writer() as config:
                config.set_value('remote "origin"', "url", url)
            repo.git.update_environment(**_environment(address.transport))
            try:
                _configured(repo, _SAFE_FETCH).fetch(
                    "--prune",
                    "--force",
                    "--no-tags",
                    "--no-auto-gc",
                    "--quiet",
                    "origin",
                    "+refs/heads/*:refs/heads/*",
                    "+refs/tags/*:refs/tags/*",
                    # With the star it may be missing.
                    f"+{NOTES_REF}*:{NOTES_REF}*",
                    kill_after_timeout=FETCH_SECONDS,
                )
                self._follow_default_branch(repo)
            except GitCommandError as error:
                raise Conflict(last_words(address, error)) from error

    def sweep(self) -> None:
        """Remove the lock files of a Git that was killed; no living one holds them so long."""
        for left in self.path.rglob("*.lock"):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > FETCH_SECONDS:
                    left.unlink()

    def _follow_default_branch(self, repo: Repo) -> None:
        """Point HEAD where the remote's HEAD points, whatever the branch is called."""
        told = _configured(repo, _SAFE_FETCH).ls_remote(
            "--symref", "origin", "HEAD", kill_after_timeout=FETCH_SECONDS
        )
        match = re.match(r"ref: refs/heads/(?P<branch>[^\t\n]+)\tHEAD", str(told))
        if match and match["branch"] in {head.name for head in repo.heads}:
            repo.head.set_reference(repo.heads[match["branch"]])

    def default_branch(self) -> str:
        """Return the branch that HEAD names; empty while the mirror has no commit."""
        with self.opened() as repo:
            return repo.head.reference.name if repo.head.is_valid() else ""

    def tips(self) -> dict[str, str]:
        """Return the commit or tag object of every branch and tag by its full name."""
        form = "--format=%(objectname) %(refname)"
        with self.opened() as repo:
            told: str = repo.git.for_each_ref(form, "refs/heads", "refs/tags")
        # A name may hold U+2028 and the like, at which `splitlines` splits too.
        lines = filter(None, told.split("\n"))
        return {name: sha for sha, _, name in (line.partition(" ") for line in lines)}

    def tags(self) -> list[TagSeen]:
        """Return every tag that names a commit."""
        form = "--format=" + "%00".join((*_TAG_FIELDS, "%(*objecttype)%(objecttype)"))
        with self.opened() as repo:
            lines = repo.git.for_each_ref(form, "refs/tags").split("\n")
        tags = []
        for line in filter(None, lines):
            name, sha, peeled, created, kinds = line.split("\0")
            if kinds.startswith("commit"):
                at = _moment(created) if created else None
                tags.append(TagSeen(name, peeled or sha, bool(peeled), at))
        return tags

    def commits(self, known: Iterable[str] = ()) -> Iterator[CommitSeen]:
        """Stream the commits of all branches and tags that `known` tips do not reach.

        One ``git log`` whose output is read in pieces, so memory does not grow with the history.

        Parameters
        ----------
        known : iterable of str
            Tips of an earlier scan.
        """
        wanted = set(self.tips().values())
        return self._log(wanted, {object_name(sha) for sha in known})

    def lost(self, known: Iterable[str]) -> list[str]:
        """Return the commits that `known` tips reach and no branch or tag reaches any more."""
        names = {object_name(sha) for sha in known}
        return [commit.sha for commit in self._log(names, set(self.tips().values()))]

    def _log(self, wanted: set[str], without: set[str]) -> Iterator[CommitSeen]:
        wanted, without = wanted - without, without
        if not wanted:
            return
        with self.opened() as repo, tempfile.TemporaryFile() as revisions:
            present = self._present(repo, wanted | without)
            lines = [*sorted(wanted & present), *(f"^{sha}" for sha in sorted(without & present))]
            if lines[:1] and not lines[0].startswith("^"):
                revisions.write("".join(f"{line}\n" for line in lines).encode())
                revisions.seek(0)
                yield from _read_log(repo, revisions)

    def _present(self, repo: Repo, names: set[str]) -> set[str]:
        """Return the objects among `names` that the mirror still holds and that lead to commits."""
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{name}^{{commit}}\n" for name in sorted(names)).encode())
            asked.seek(0)
            told = repo.git.cat_file("--batch-check=%(objectname)", istream=asked).splitlines()
        answers = zip(sorted(names), told, strict=True)
        return {name for name, answer in answers if not answer.endswith("missing")}

    def holds(self, commit: str) -> bool:
        """Whether the mirror holds this commit; it holds nothing that is no full name of one."""
        if not self.exists or not _OBJECT_NAME.fullmatch(commit):
            return False
        with self.opened() as repo:
            return bool(self._present(repo, {commit}))

    def ancestors(self, commit: str) -> set[str]:
        """Return a commit with every commit it stands on."""
        name = object_name(commit)
        with self.opened() as repo:
            return set(repo.git.rev_list(name).split())

    def since(self, commit: str, released: Iterable[str]) -> list[str]:
        """Return the commits that `commit` adds to those released below it, oldest first.

        Merges are left out: what they bring in has commits of its own. Empty where nothing that
        was released lies below `commit`: then everything is new, and nothing was changed.
        """
        name = object_name(commit)
        with self.opened() as repo:
            below = set(repo.git.rev_list(name).split()) - {name}
            bounds = [one for one in map(object_name, released) if one in below]
            if not bounds:
                return []
            told: str = repo.git.rev_list("--reverse", "--no-merges", name, "--not", *bounds)
            return told.split()

    def paths(self, commit: str) -> set[str]:
        """Return every file and folder in the tree of `commit`; the root is "."."""
        name = object_name(commit)
        with self.opened() as repo:
            listed = repo.git.ls_tree("-r", "-t", "-z", "--name-only", "--full-tree", name)
        return {".", *filter(None, listed.split("\0"))}

    def changed(self, commit: str) -> list[tuple[str, str]]:
        """Return what `commit` did to each file, against its first parent: a word, and the path."""
        name = object_name(commit)
        with self.opened() as repo:
            told = repo.git.diff_tree(
                "-r", "--root", "-z", "--no-commit-id", "--no-renames", "--name-status",
                "--diff-merges=first-parent", name,
            )  # fmt: skip
        fields = told.removesuffix("\0").split("\0") if told else []
        pairs = zip(fields[::2], fields[1::2], strict=True)
        return [(_DONE.get(status, "changed"), readable_name(path)) for status, path in pairs]

    def read(self, commit: str, path: str, most: int) -> bytes | None:
        """Return a file of `commit`; None where the commit holds no file at that path.

        Parameters
        ----------
        most : int
            The most bytes that it may have.

        Raises
        ------
        Invalid
            If it is larger.
        """
        name = object_name(commit)
        if not _is_plain(path):
            return None
        with self.opened() as repo, tempfile.TemporaryFile() as asked:
            asked.write(f"{name}:".encode() + name_in_git(path) + b"\n")
            asked.seek(0)
            told = str(
                repo.git.cat_file("--batch-check=%(objecttype) %(objectsize)", istream=asked)
            )
            kind, _, size = told.rpartition(" ")
            if kind != "blob":
                return None
            if int(size) > most:
                fault = Fault("GIT10", path[:200], f"holds {size} bytes, more than {most}.")
                raise Invalid("A file of the repository is too large to be read.", [fault])
            asked.seek(0)
            content: bytes = repo.git.cat_file(
                "--batch=", istream=asked, stdout_as_string=False, strip_newline_in_stdout=False
            )
        # Without a header line: the bytes between the first line feed and the last one.
        return content[1:-1]

    @contextmanager
    def opened(self, *, create: bool = False) -> Iterator[Repo]:
        """Open the mirror for one question; what asks another beside these is in `trees`."""
        if not self.exists and not create:
            raise Conflict("This repository has not been scanned yet; scan it first.")
        repo = Repo(self.path) if self.exists else Repo.init(self.path, bare=True)
        repo.git.update_environment(**_QUIET)
        try:
            yield repo
        finally:
            repo.close()


def _is_plain(path: str) -> bool:
    """Whether a path leads straight to a file below the root, in one line."""
    parts = path.split("/")
    return all(part not in ("", ".", "..") for part in parts) and path.isprintable()


def _read_log(repo: Repo, revisions: IO[bytes]) -> Iterator[CommitSeen]:
    process = repo.git.log(
        "-z",
        "--no-show-signature",
        "--no-color",
        "--encoding=UTF-8",
        "--format=tformat:" + "%x00".join(_LOG_FIELDS),
        "--stdin",
        istream=revisions,
        as_process=True,
    )
    try:
        fields: list[str] = []
        for field in _split_at_nul(process.stdout):
            fields.append(field)
            if len(fields) == len(_LOG_FIELDS):
                yield _commit_seen(fields)
                fields = []
        process.wait()
    finally:
        process.stdout.close()


def _split_at_nul(stream: IO[bytes]) -> Iterator[str]:
    rest = b""
    while piece := stream.read(READ_BYTES):
        *whole, rest = (rest + piece).split(b"\0")
        for field in whole:
            yield field.decode("utf-8", errors="replace")


def _commit_seen(fields: list[str]) -> CommitSeen:
    sha, parents, author, at, subject, trailers, body = fields
    merges = len(parents.split()) == 2
    request = request_of(subject, body) if merges else None
    read = read_trailers(trailers)
    return CommitSeen(
        sha=sha,
        parents=len(parents.split()),
        author=author,
        at=_moment(at),
        subject=subject,
        trailers=tuple(read or (trailers_of_request(body) if request else ())),
        request=request,
    )


def _moment(seconds: str) -> datetime:
    """Read a Git time; an absurd one (they are written by hand at will) is held at the edge."""
    return datetime.fromtimestamp(min(max(int(seconds), 0), LAST_SECOND), UTC)


def _configured(repo: Repo, options: Iterable[str]) -> Git:
    git: Git = repo.git(c=list(options))
    return git


def _environment(transport: Transport) -> Mapping[str, str]:
    """Allow Git this one transport, never a prompt, never an unknown host."""
    ssh = "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes"
    return _QUIET | {
        "GIT_ALLOW_PROTOCOL": transport.value,
        "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", ssh),
    }
