"""What the pages for readers print can be typed: commands, options, targets, modules, links."""

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

import pytest
import typer

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = [
    path
    for folder in ("app", "core", "qms", "dataflows", "validation", "engine", "templates")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".html"}
]

FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
SAID = re.compile(r"""([`'])(fiducial [a-z][^`'"{}]*)\1""")
"""A command that a message or a page of the service tells somebody to run."""

ASSIGNMENT = re.compile(r"[A-Z][A-Z_]*=")
PROGRAM = "fiducial"


def fenced_lines(text: str) -> Iterator[str]:
    """Yield each line of each block that is to be typed as it stands."""
    for block in FENCED.findall(text):
        yield from block.splitlines()


def command_lines(line: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the settings and the words of each `fiducial` command in a line of the shell."""
    if PROGRAM not in line:
        return
    for part in line.removeprefix("ExecStart=").split("&&"):
        words = shlex.split(part, comments=True)
        settings = []
        while words and ASSIGNMENT.match(words[0]):
            settings.append(words.pop(0).partition("=")[0])
        if words and Path(words[0]).name == PROGRAM:
            yield settings, words[1:]


def faults(words: list[str], whole: bool) -> Iterator[str]:
    """Yield why a command would not be understood; one that is only mentioned may be cut short."""
    from app.cli import cli

    command: Any = typer.main.get_command(cli)
    context = command.context_class(command, info_name=PROGRAM)
    rest = list(words)
    while getattr(command, "commands", None):
        if not rest or rest[0].startswith("-") or rest[0].isupper():
            return  # a group, named as a whole
        name = rest.pop(0)
        if name not in command.commands:
            yield f"there is no command {name!r}"
            return
        command = command.commands[name]
        context = command.context_class(command, info_name=name, parent=context)
    try:
        given, left, _ = command.make_parser(context).parse_args(args=without_marks(rest))
    except typer.BadParameter.__mro__[1] as refusal:  # typer's own UsageError
        yield str(getattr(refusal, "message", refusal))
        return
    if left:
        yield f"{' '.join(left)} is one too many"
    for parameter in command.params if whole else ():
        asked = parameter.required and not getattr(parameter, "prompt", None)
        if asked and not given.get(parameter.name):
            yield f"{parameter.name} is missing"


def without_marks(words: list[str]) -> list[str]:
    """Drop the brackets that say something may be left out."""
    return [word.strip("[]") for word in words if word.strip("[]") not in {"", "..."}]


def quoted(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line that a page prints as code, and whether it is to be typed as it stands."""
    for line in fenced_lines(text):
        yield line, True
    for line in INLINE.findall(FENCED.sub("", text)):
        yield line, False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_prints_is_understood(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    wrong = [
        f"{line.strip()}: {fault}"
        for line, whole in quoted(text)
        for _settings, words in command_lines(line)
        for fault in faults(words, whole)
    ]

    assert wrong == []


UNSAID = {"--help", "--json", "--password"}
"""Options that commands.md speaks of once for all; a password is asked for or in a variable."""


def test_commands_md_states_every_argument_and_option_and_which_of_them_must_be_given() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### `fiducial (.+)`$", text, re.MULTILINE)

    stated = {words_of(heading): said_of(heading) for heading in headings}

    assert stated == {words: parameters(command) for words, command in every_command()}


def every_command() -> Iterator[tuple[str, Any]]:
    """Yield every command with the words that call it."""
    from app.cli import cli

    waiting: list[tuple[str, Any]] = [("", typer.main.get_command(cli))]
    while waiting:
        words, command = waiting.pop()
        below = getattr(command, "commands", None)
        if below is None:
            yield words.strip(), command
        else:
            waiting += [(f"{words} {name}", each) for name, each in below.items()]


def words_of(heading: str) -> str:
    """Return the words that call a command: "git scan" of "git scan PROJECT --as UID"."""
    return " ".join(takewhile(re.compile(r"[a-z]+(?:-[a-z]+)*").fullmatch, heading.split()))


def said_of(heading: str) -> tuple[int, set[str], set[str]]:
    """Return how many arguments, which options must be given and which may."""
    optional = re.findall(r"\[([^]]+)\]", heading)
    needed = re.sub(r"\[[^]]+\]", "", heading).removeprefix(words_of(heading)).split()
    options = {word for word in needed if word.startswith("-")}
    values = [word for before, word in pairwise(["", *needed]) if not before.startswith("-")]
    left_out = [word for word in optional if not word.startswith("-")]
    return (
        len([word for word in [*values, *left_out] if not word.startswith("-")]),
        options,
        {word.split()[0] for word in optional if word.startswith("-")},
    )


def parameters(command: Any) -> tuple[int, set[str], set[str]]:
    """Return the same of the command itself; of two flags, the one that is not the default."""
    arguments, needed, optional = 0, set(), set()
    for one in command.params:
        names = one.secondary_opts if one.default is True else one.opts
        if not names[0].startswith("-"):
            arguments += 1
        elif names[0] not in UNSAID:
            must = one.required and not getattr(one, "prompt", None)
            (needed if must else optional).add(names[0])
    return arguments, needed, optional


def test_commands_are_found_where_pages_print_them() -> None:
    found = [
        words[0]
        for page in PAGES
        for line, _ in quoted(page.read_text(encoding="utf-8"))
        for _, words in command_lines(line)
        if words
    ]

    assert {"verify", "init", "serve", "backup", "restore", "trace", "import"} <= set(found)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("fiducial nonsense", "no command 'nonsense'"),
        ("fiducial trace RPM --sideways", "--sideways"),
        ("fiducial trace", "project_key is missing"),
        ("fiducial restore a.zip", "into is missing"),
        ("fiducial trace RPM DEPT", "DEPT is one too many"),
    ],
)
def test_a_command_that_would_not_be_understood_is_found(line: str, fault: str) -> None:
    ((_settings, words),) = command_lines(line)

    assert fault in " ".join(faults(words, whole=True))


def test_every_command_that_the_service_tells_somebody_to_run_is_understood() -> None:
    said = [
        (path.relative_to(ROOT), line)
        for path in CODE
        for _, line in SAID.findall(path.read_text(encoding="utf-8"))
    ]

    wrong = [
        f"{path}: {line}: {fault}"
        for path, line in said
        for _settings, words in command_lines(line)
        for fault in faults(words, whole=False)
    ]

    assert len(said) > 10
    assert wrong == []


def test_every_variable_that_a_page_names_exists() -> None:
    from core.settings import PREFIX, Settings

    of_commands = {"FIDUCIAL_INIT_PASSWORD", "FIDUCIAL_BACKUP_PASSPHRASE"}
    given_to_steps = {"FIDUCIAL_RUN_DATA"}
    of_tests = {f"FIDUCIAL_QATRACK_{name}" for name in ("URL", "TOKEN", "ZONE")}
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known = settings | of_commands | given_to_steps | of_tests

    named = {
        name
        for page in PAGES
        for name in re.findall(r"\bFIDUCIAL_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8"))
    }

    assert named <= known


def test_every_target_of_make_that_a_page_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))

    named = {
        match
        for page in PAGES
        for line, _ in quoted(page.read_text(encoding="utf-8"))
        for match in re.findall(r"^(?:[A-Z]+=\S+ )?make ([a-z-]+)", line)
    }

    assert {"demo", "test", "check", "bench"} <= named
    assert named <= targets


def test_every_module_and_script_that_a_page_names_exists() -> None:
    lines = [line for page in PAGES for line, _ in quoted(page.read_text(encoding="utf-8"))]

    modules = {match for line in lines for match in re.findall(r"python3? -m ([\w.]+)", line)}
    scripts = {
        match
        for line in lines
        for match in re.findall(r"(?<![\w/])(?:scripts|tests)/[\w/]+\.py", line)
    }

    assert [module for module in modules if find_spec(module) is None] == []
    assert scripts
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))

    targets = re.findall(r"\]\(([^)\s]+)\)", text)

    broken = [target for target in targets if not leads_somewhere(page, target)]
    assert broken == []


def leads_somewhere(page: Path, target: str) -> bool:
    """Tell whether a link names a file that is there, and a heading in it where it names one."""
    if re.match(r"[a-z]+:", target):
        return True
    path, _, heading = target.partition("#")
    file = (page.parent / path) if path else page
    if not file.exists():
        return False
    titles = (
        re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) if heading else []
    )
    return not heading or heading in {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles
    }
