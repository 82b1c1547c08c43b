"""Templates of documents: Markdown with placeholders, ours and those of a department.

A placeholder is a name with words after it, in double braces; it is looked up, never executed, and
what it brings in is not looked through again.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import Fault, Invalid
from core.located_yaml import Lined, read_yaml
from core.settings import PREFIX, get_settings

FOLDER = Path(__file__).parents[2] / "templates" / "documents"
SETTING = f"{PREFIX}DOCUMENTS_DIR"

LARGEST_TEMPLATE = 1_000_000
MOST_TEMPLATES = 200

KEYS = ("id", "title")
PLACEHOLDER = re.compile(r"\{\{([^{}\n]*)\}\}")
_ID = re.compile(r"[A-Z][A-Z0-9-]{1,19}")
_FENCE = "---"


@dataclass(frozen=True)
class Placeholder:
    """A name in double braces with the words after it, and whether it has its line to itself."""

    name: str
    words: tuple[str, ...]
    alone: bool
    where: str


@dataclass(frozen=True)
class Template:
    """One document of the set before it is filled in.

    Attributes
    ----------
    first : int
        The line of the file on which the text begins.
    """

    file: str
    id: str
    title: str
    text: str
    first: int

    def placeholder(self, found: re.Match[str]) -> Placeholder:
        """Return what a match in the text asks for."""
        start = self.text.rfind("\n", 0, found.start()) + 1
        end = self.text.find("\n", found.end())
        line = self.text[start : end if end >= 0 else None]
        name, *words = found[1].split() or [""]
        number = self.first + self.text.count("\n", 0, found.start())
        return Placeholder(name, tuple(words), line.strip() == found[0], f"{self.file}:{number}")


def read_templates() -> list[Template]:
    """Return our templates, and those of the department's folder in place of ours or beside them.

    Raises
    ------
    Invalid
        With everything that is wrong with a template.
    """
    files = {path.name: path for path in FOLDER.glob("*.md")}
    own = get_settings().documents_dir
    if own is not None:
        if not own.is_dir():
            fault = Fault("DS01", SETTING, f"names {own}, which is no folder.", "Make it.")
            raise Invalid("The templates of documents cannot be read.", [fault])
        files |= {path.name: path for path in own.glob("*.md") if path.name != "README.md"}
    faults: list[Fault] = []
    if len(files) > MOST_TEMPLATES:
        faults.append(Fault("DS01", SETTING, f"holds more than {MOST_TEMPLATES} templates."))
    found = [
        one
        for name in sorted(files)[:MOST_TEMPLATES]
        if (one := read_template(files[name], faults)) is not None
    ]
    faults += _twice(found)
    if faults:
        raise Invalid("The templates of documents cannot be read.", faults)
    return found


def read_template(path: Path, faults: list[Fault]) -> Template | None:
    """Read one template: front matter with its id and title, then its text."""
    name = path.name
    if path.stat().st_size > LARGEST_TEMPLATE:
        faults.append(Fault("DS01", name, f"is larger than {LARGEST_TEMPLATE:,} bytes."))
        return None
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        faults.append(Fault("DS01", name, "is not text in UTF-8.", "Save it as UTF-8."))
        return None
    lines = text.split("\n")
    if lines[0] != _FENCE or _FENCE not in lines[1:]:
        mend = f"Begin with {_FENCE}, id, title, and {_FENCE} again."
        faults.append(Fault("DS01", f"{name}:1", "has no front matter.", mend))
        return None
    end = lines.index(_FENCE, 1)
    told = len(faults)
    values = _front("\n".join(["", *lines[1:end], ""]), name, faults)
    if len(faults) > told:
        return None
    body = "\n".join(lines[end + 1 :]).strip("\n")
    first = end + 2 + next((at for at, line in enumerate(lines[end + 1 :]) if line), 0)
    return Template(name, values["id"], values["title"], body, first)


def _front(text: str, name: str, faults: list[Fault]) -> dict[str, str]:
    try:
        read, found = read_yaml(text, name)
    except Invalid as refusal:
        faults += refusal.faults
        return {}
    faults += found
    value = read.value
    if not isinstance(value, Lined):
        faults.append(Fault("DS01", f"{name}:1", "has no id and no title."))
        return {}
    for key in value:
        if key not in KEYS:
            what = f"has the unknown key '{key[:40]}'."
            faults.append(Fault("DS01", read.where((key,)), what, f"Known: {', '.join(KEYS)}."))
    for key in KEYS:
        if not isinstance(value.get(key), str) or not value[key].strip():
            faults.append(Fault("DS01", read.where((key,)), f"has no {key}.", "Write it as text."))
    if isinstance(value.get("id"), str) and not _ID.fullmatch(value["id"]):
        mend = "Use 2 to 20 capitals and digits, as SRS."
        faults.append(Fault("DS01", read.where(("id",)), f"'{value['id'][:40]}' is no id.", mend))
    return {key: str(value.get(key, "")).strip() for key in KEYS}


def _twice(templates: Sequence[Template]) -> Iterable[Fault]:
    first: dict[str, str] = {}
    for one in templates:
        known = first.setdefault(one.id, one.file)
        if known != one.file:
            yield Fault("DS01", one.file, f"has the id {one.id} of {known}.", "Give it another.")
