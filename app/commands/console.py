"""What every command shares: settings, the database, refusals as sentences, results as JSON."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from core.errors import FiducialError, Invalid

if TYPE_CHECKING:
    # A command loads what it needs: help, a fault of spelling or a completion needs none of it.
    from core.db import Database
    from core.people.actor import Actor
    from core.settings import Settings

# Exit code 2 of `fiducial verify` says "intact, signer unknown"; a misspelt option must not. Typer
# carries its own copy of click, whose class of usage errors is reached through BadParameter.
UsageError = typer.BadParameter.__mro__[1]
UsageError.exit_code = os.EX_USAGE  # type: ignore[attr-defined]

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
AsPerson = Annotated[
    str, typer.Option("--as", help="Uid or name of the person who does this, e.g. PPL-AK.")
]

WITH_FAULTS = 3
"""Exit code of work that was done and found something wrong: not 1, which says it was not done."""

out = Console()
err = Console(stderr=True)


STABLE_CODE = re.compile(r"[A-Z]{2,4}[0-9]{2,3}")
"""Codes that the docs list; others are words for programs."""


def harmless(text: str) -> str:
    """Return text that cannot move a terminal's cursor, whoever wrote it: a commit, a file name."""
    return "".join(
        one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text
    )


class RefusingGroup(TyperGroup):
    """A group of commands that tells a refusal as sentences and ends with exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a refusal is no traceback."""
        try:
            return super().invoke(ctx)
        except FiducialError as refusal:
            err.print(harmless(refusal.message), style="bold", markup=False, soft_wrap=True)
            for fault in refusal.faults if isinstance(refusal, Invalid) else ():
                code = f"{fault.code} " if STABLE_CODE.fullmatch(fault.code) else ""
                err.print(f"  {code}{harmless(str(fault))}", markup=False, soft_wrap=True)
            raise typer.Exit(1) from None


@dataclass(frozen=True)
class Opened:
    """An installation, ready to be used."""

    settings: "Settings"
    database: "Database"


@contextmanager
def installation() -> Iterator[Opened]:
    """Open the installation of the settings; says what to do when there is none."""
    from app.schema import newest, revision_of
    from app.tables import prepare
    from core.db import open_database
    from core.settings import get_settings

    prepare()
    settings = get_settings()
    if not settings.database_url and not (settings.data_dir / "fiducial.db").exists():
        raise Invalid(
            f"There is no installation in {settings.data_dir}; run 'fiducial init' first, or set "
            "FIDUCIAL_DATA_DIR."
        )
    database = open_database(settings.database, settings.data_dir)
    try:
        with database.engine.connect() as connection:
            if revision_of(connection) != newest():
                raise Invalid(
                    "The database has another schema than this version needs; make a backup and "
                    "run 'fiducial db upgrade'."
                )
        yield Opened(settings, database)
    finally:
        database.engine.dispose()


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does: by way of every `finally`."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def acting(opened: Opened, person: str) -> "Actor":
    """Return who does this; whoever may write the data folder may say so, and it is recorded."""
    from core.people.service import find_actor

    with opened.database.reading() as session:
        return find_actor(session, person)


def say(value: Any, as_json: bool, text: str) -> None:
    """Print a result: as JSON for programs, as text for people."""
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
    else:
        out.print(harmless(text), markup=False, highlight=False, soft_wrap=True)


def tell(text: str) -> None:
    """Tell how far the work is, beside the result and whole: a terminal's width cuts no digest."""
    err.print(harmless(text), markup=False, highlight=False, soft_wrap=True)


def write_bytes(content: bytes) -> None:
    """Write an export to standard output as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
