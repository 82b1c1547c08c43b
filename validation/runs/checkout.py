"""Unpack a device's repository at a tag into a clean folder, and say whether it stayed clean.

Contents come straight from Git's object store: no hook, filter, attribute or replacement
reference takes part, so what is executed is byte for byte what the commit holds.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path, PurePosixPath

from git import Commit, Repo
from git.exc import BadName, GitError
from git.objects import Blob, IndexObject, Submodule

from core.errors import Fault, Invalid, NotFound

SAFE_TAG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]|/(?=[A-Za-z0-9])){0,199}")
"""Narrower than git-check-ref-format: nothing that a shell, a path or an option could misread."""

MAX_FILES = 20_000
MAX_BYTES = 2 * 2**30
"""A device's repository holds code and feature files; data sets are frozen elsewhere."""

UNSAFE_MEND = "Remove it from the repository and tag a new commit."

EXECUTABLE, REGULAR = 0o100755, 0o100644
GROUP_WRITABLE = 0o100664
"""Written by early Git versions; an ordinary file."""


@dataclass(frozen=True)
class Checkout:
    """A commit's files in a folder of their own.

    Attributes
    ----------
    files : mapping
        Path in the repository to Git's own SHA-1 of the content.
    """

    folder: Path
    tag: str
    commit: str
    files: Mapping[str, str]


def resolve_tag(mirror: Path, tag: str) -> str:
    """Return the commit that a tag of a mirror names.

    Raises
    ------
    Invalid
        If the tag's name is not a plain one.
    NotFound
        If the mirror has no such tag.
    """
    with _opened(mirror) as repository:
        return _commit_of(repository, tag).hexsha


def check_out(mirror: Path, tag: str, folder: Path) -> Checkout:
    """Unpack the commit behind a tag into a new folder, whole or not at all.

    Raises
    ------
    Invalid
        If the tag's name is unsafe or the tree holds symbolic links, submodules or paths that
        climb out of the folder; every such entry is named.
    NotFound
        If the mirror has no such tag.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists; a checkout goes into a folder of its own.")
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    with _opened(mirror) as repository:
        commit = _commit_of(repository, tag)
        entries = _safe_entries(commit, tag)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for entry in entries:
            _write(entry, beside / str(entry.path))
    beside.rename(folder)
    return Checkout(folder, tag, commit.hexsha, {str(e.path): e.hexsha for e in entries})


def differences(checkout: Checkout) -> tuple[str, ...]:
    """Name every file that is no longer what the commit holds: changed, added or missing.

    An empty answer is a clean checkout. Nothing is ignored: a file written into the folder by
    the protocol itself makes the run dirty.
    """
    found = {
        path.relative_to(checkout.folder).as_posix(): path
        for path in checkout.folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    named = [f"missing {path}" for path in checkout.files if path not in found]
    for name, path in found.items():
        if name not in checkout.files:
            named.append(f"added {name}")
        elif path.is_symlink() or not path.is_file() or _git_hash(path) != checkout.files[name]:
            named.append(f"changed {name}")
    return tuple(sorted(named))


class _opened:  # noqa: N801 - reads as a verb at its only use
    """A mirror opened without its replacement references and without the machine's Git settings."""

    def __init__(self, mirror: Path) -> None:
        self._mirror = mirror

    def __enter__(self) -> Repo:
        try:
            self._repository = Repo(self._mirror, expand_vars=False)
        except GitError as error:
            raise NotFound(
                f"There is no Git repository at {self._mirror}; scan the project's repository."
            ) from error
        self._repository.git.update_environment(
            GIT_NO_REPLACE_OBJECTS="1", GIT_CONFIG_GLOBAL=os.devnull, GIT_OPTIONAL_LOCKS="0"
        )
        return self._repository

    def __exit__(self, *_: object) -> None:
        self._repository.close()


def _commit_of(repository: Repo, tag: str) -> Commit:
    if not SAFE_TAG.fullmatch(tag) or ".." in tag or tag.endswith((".lock", ".")):
        raise Invalid(
            "This is not the name of a tag.",
            [Fault("tag-unsafe", tag[:80], "is not a plain tag name.", "Name a tag like v0.1.0.")],
        )
    try:
        found = repository.rev_parse(f"refs/tags/{tag}^{{commit}}")
    except (BadName, ValueError, GitError) as error:
        raise NotFound(
            f"The repository has no tag {tag}; push the tag and scan the repository again."
        ) from error
    if not isinstance(found, Commit):
        raise NotFound(f"The tag {tag} does not name a commit.")
    return found


def _safe_entries(commit: Commit, tag: str) -> list[Blob]:
    """Return the files of a commit, or refuse all that cannot be unpacked safely at once."""
    blobs: list[Blob] = []
    faults: list[Fault] = []
    try:
        for entry in _walk(commit):
            where = f"{tag}:{entry.path}"
            if fault := _fault(entry):
                faults.append(Fault("checkout-unsafe", where, fault, UNSAFE_MEND))
            elif isinstance(entry, Blob):
                blobs.append(entry)
            if len(blobs) > MAX_FILES:
                faults.append(
                    Fault("checkout-large", tag, f"holds more than {MAX_FILES} files.", "Split it.")
                )
                break
    except ValueError as error:  # GitPython refuses names that alias Git's folder or climb
        faults.append(Fault("checkout-unsafe", tag, f"{error}.", UNSAFE_MEND))
    if not faults and sum(blob.size for blob in blobs) > MAX_BYTES:
        faults.append(
            Fault("checkout-large", tag, f"holds more than {MAX_BYTES} bytes.", "Keep data apart.")
        )
    if faults:
        raise Invalid(f"The repository at {tag} cannot be unpacked safely.", faults)
    return blobs


def _walk(commit: Commit) -> Iterator[IndexObject]:
    for entry in commit.tree.traverse():
        if isinstance(entry, IndexObject):
            yield entry


def _fault(entry: IndexObject) -> str:
    """Say what is wrong with a tree entry; empty when it is an ordinary file or folder."""
    path = str(entry.path)
    parts = PurePosixPath(path).parts
    if isinstance(entry, Submodule):
        return "is a submodule, whose content the commit does not hold."
    if isinstance(entry, Blob) and entry.mode not in (EXECUTABLE, REGULAR, GROUP_WRITABLE):
        return "is a symbolic link or another special entry."
    if PurePosixPath(path).is_absolute() or ".." in parts or "\\" in path or "\0" in path:
        return "climbs out of the folder."
    if any(part.lower().rstrip(". ") == ".git" for part in parts):
        return "would be read as Git's own folder."
    return ""


def _write(entry: Blob, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # "x" refuses to write through anything that already stands there.
    with path.open("xb") as stream:
        shutil.copyfileobj(entry.data_stream, stream)
    if entry.mode == EXECUTABLE:
        path.chmod(0o755)


def _git_hash(path: Path) -> str:
    content = path.read_bytes()
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
