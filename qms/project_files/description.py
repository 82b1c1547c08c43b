"""The description of a project at the root of its repository: a small file that names its parts.

People, commands and CI jobs read in it which project a repository belongs to and where its records
and test results lie. It is strict: what is not known is a fault, told with its line.
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from core.errors import Fault, Invalid
from core.located_yaml import Lined, LocatedYaml, read_yaml
from core.records.types import TypeRegistry
from qms.interchange.markdown.checking import check_folder
from qms.interchange.markdown.folder import read_folder
from qms.interchange.markdown.spelling import mapping_lines
from qms.repositories.addresses import parse_address

NAME = "fiducial.yaml"
LARGEST = 100_000
"""Bytes; a hundred times what a description holds."""

ROLES = ("implements", "verifies", "fixes", "refers to")
"""What a trailer may say of the record that it names."""

_KEY = re.compile(r"[A-Z][A-Za-z0-9]{1,19}")
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")
_HEAD = "# What this repository is to Fiducial; `fiducial project show` says whether it is right.\n"


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueError(f"'{text[:40]}' is no key of a project; use 2 to 20 letters, as RPM")
    return text


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("one line of text is needed")
    return text.strip()


def _folder(text: str) -> str:
    path = PurePosixPath(text)
    plain = text.isprintable() and "\\" not in text and ":" not in text
    if not text or not plain or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"'{text[:60]}' is no folder of this repository; name it from its root")
    return path.as_posix()


def _branch(text: str) -> str:
    if not _BRANCH.fullmatch(text) or ".." in text or "//" in text or text.endswith((".", "/")):
        raise ValueError(f"'{text[:60]}' is no branch")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"'{text[:60]}' is no name; use letters, digits, . _ -")
    return text


def _address(text: str) -> str:
    try:
        return parse_address(text).url
    except Invalid as refusal:
        raise ValueError("; ".join(one.what.rstrip(".") for one in refusal.faults)) from None


def _trailer(text: str) -> str:
    if not _TRAILER.fullmatch(text):
        raise ValueError(f"'{text[:60]}' is no key of a trailer; use letters, digits and -")
    return text


def _role(text: str) -> str:
    if text not in ROLES:
        raise ValueError(f"'{text[:40]}' is no role; there are {', '.join(ROLES)}")
    return text


Folder = Annotated[str, AfterValidator(_folder)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DescribedRepository(_Strict):
    """A Git repository of the project."""

    name: Annotated[str, AfterValidator(_name)]
    address: Annotated[str, AfterValidator(_address)]


class Description(_Strict):
    """What the file says."""

    project: Annotated[str, AfterValidator(_key)]
    title: Annotated[str, Field(max_length=500), AfterValidator(_one_line)]
    records: Folder = "docs/record"
    results: Folder | None = None
    default_branch: Annotated[str, AfterValidator(_branch)] = "main"
    repositories: list[DescribedRepository] = Field(default_factory=list, max_length=100)
    trailers: dict[
        Annotated[str, AfterValidator(_trailer)], Annotated[str, AfterValidator(_role)]
    ] = {}

    def text(self) -> str:
        """Return the file that says this; the same is always the same bytes."""
        said = {name: value for name, value in self.model_dump().items() if value not in (None, {})}
        return _HEAD + "\n".join(mapping_lines(said)) + "\n"


def description_of(values: Mapping[str, object]) -> Description:
    """Return a description of what somebody asked for.

    Raises
    ------
    Invalid
        With everything that cannot be meant.
    """
    try:
        return Description.model_validate(values)
    except ValidationError as error:
        read = LocatedYaml("", values, {})
        faults = [_fault(dict(one), read, ".".join(map(str, one["loc"]))) for one in error.errors()]
        raise Invalid("No description was written.", faults) from error


def write_description(folder: Path, described: Description) -> Path:
    """Write the file into a folder that has none.

    Raises
    ------
    Invalid
        If there is no such folder, or a description in it already.
    """
    if not folder.is_dir():
        raise Invalid(f"{folder} is no folder.")
    path = folder / NAME
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(described.text())
    except FileExistsError:
        raise Invalid(f"{path} is there already; change it, or remove it first.") from None
    return path


def read_description(path: Path) -> tuple[Description | None, list[Fault]]:
    """Read a description and everything that is wrong with it.

    Raises
    ------
    Invalid
        If there is none, or nothing in it can be judged.
    """
    file = path / NAME if path.is_dir() else path
    if not file.is_file():
        raise Invalid(f"There is no {file}; `fiducial project new` writes one.")
    if file.stat().st_size > LARGEST:
        fault = Fault("PD01", file.name, f"is larger than {LARGEST:,} bytes.")
        raise Invalid(f"{file.name} was not read.", [fault])
    read, found = read_yaml(file.read_bytes(), file.name)
    faults = list(found)
    if not isinstance(read.value, Lined):
        fault = Fault("PD01", f"{file.name}:1", "is no mapping of names to values.")
        return None, [*faults, fault]
    try:
        described = Description.model_validate(read.value)
    except ValidationError as error:
        faults += [_fault(dict(one), read) for one in error.errors()]
        return None, faults
    return described, [*faults, *_twice(described, read)]


def _fault(error: Mapping[str, object], read: LocatedYaml, where: str = "") -> Fault:
    loc = error["loc"]
    path = tuple(loc) if isinstance(loc, tuple) else ()
    if path[-1:] == ("[key]",):
        path = path[:-1]
    place = where or read.where(path)
    name = str(path[-1]) if path else ""
    if error["type"] == "extra_forbidden":
        fields = DescribedRepository if len(path) > 1 else Description
        near = difflib.get_close_matches(name, fields.model_fields, 1)
        mend = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(fields.model_fields)}."
        return Fault("PD02", place, f"has the unknown key '{name[:40]}'.", mend)
    if error["type"] == "missing":
        return Fault("PD03", place, f"has no {name}.", f"Add a line with {name}:")
    said = str(error["msg"]).removeprefix("Value error, ")
    return Fault("PD04", place, f"{'.'.join(map(str, path))}: {said}.")


def _twice(described: Description, read: LocatedYaml) -> list[Fault]:
    faults = []
    for part in ("name", "address"):
        first: dict[str, int] = {}
        for place, one in enumerate(described.repositories):
            value = getattr(one, part)
            if first.setdefault(value, place) != place:
                where = read.where(("repositories", place, part))
                faults.append(Fault("PD05", where, f"a second repository has the {part} {value}."))
    return faults


def folder_faults(
    root: Path, described: Description, registry: TypeRegistry
) -> tuple[int, list[Fault]]:
    """Return how many records lie where the description says, and what is wrong with its folders.

    A folder that is not there yet is told; one that leads out of the repository is not read.
    """
    faults = []
    count = 0
    for name, folder in (("records", described.records), ("results", described.results)):
        if folder is None:
            continue
        path = root / folder
        if not path.resolve().is_relative_to(root.resolve()):
            what = f"{name}: {folder} leads out of the repository and is not read."
            faults.append(Fault("PD06", NAME, what, "Put the folder itself there."))
        elif not path.is_dir():
            what = f"{name}: there is no folder {folder}."
            mend = f"`fiducial export records --from {described.project} -o {folder}` writes it."
            faults.append(Fault("PD06", NAME, what, mend if name == "records" else "Make it."))
        elif name == "records":
            found = read_folder(path)
            count = len(found.records)
            faults += check_folder(found, registry)
            others = sorted({one.project for one in found.records} - {"", described.project})
            if others and described.project not in {one.project for one in found.records}:
                what = f"records: they are of {', '.join(others)}, not of {described.project}."
                faults.append(Fault("PD07", NAME, what, "Correct the key, or the folder."))
    return count, faults
