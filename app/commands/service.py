"""Commands that install, run and keep the service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from app.commands.console import (
    WITH_FAULTS,
    AsJson,
    installation,
    out,
    say,
    tell,
    termination_as_interrupt,
)
from core.errors import Conflict, Invalid

if TYPE_CHECKING:
    from core.db import Database

db = typer.Typer(help="The database.", no_args_is_help=True)


def init(
    name: Annotated[str, typer.Option(prompt=True, help="Printed name of the first person.")],
    username: Annotated[str, typer.Option(prompt=True, help="What they sign in with.")],
    uid: Annotated[str, typer.Option(help="Their uid.")] = "PPL-001",
    password: Annotated[
        str,
        typer.Option(
            prompt=True,
            hide_input=True,
            confirmation_prompt=True,
            show_default=False,
            envvar="FIDUCIAL_INIT_PASSWORD",
        ),
    ] = "",
) -> None:
    """Create the data folder, the database, the signing key and the first administrator."""
    from app.schema import upgrade
    from core.people.actor import ADMINISTRATOR
    from core.people.passwords import choose
    from core.people.service import create_person, grant, people
    from core.settings import get_settings
    from core.signing.keys import create_key, has_key, load_key, print_fingerprint

    settings = get_settings()
    database = upgrade(settings)
    if not has_key(settings.data_dir):
        create_key(settings.data_dir)
    chosen = choose(password)
    with database.writing() as session:
        if people(session):
            raise Conflict("This installation has people already; nothing was changed.")
        person = create_person(session, username, uid, name, chosen, None)
        grant(session, person, [ADMINISTRATOR], None)
    key = load_key(settings.data_dir)
    told = (
        f"Installed in {settings.data_dir}. {name} may sign in as {username}.",
        "Publish this fingerprint of the signing key outside the packs it signs:",
        print_fingerprint(key.fingerprint),
    )
    say(told, False, "\n".join(told))


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can do, what is off, and how to mend it."""
    from app.doctor import examine, needs_mending
    from app.tables import prepare
    from core.settings import get_settings

    prepare()
    found = examine(get_settings())
    table = Table()
    for heading in ("Capability", "State", "Found", "Off without it", "How to mend it"):
        table.add_column(heading, overflow="fold")  # a path or a setting is never cut
    for one in found:
        table.add_row(*map(escape, (one.name, one.state.value, one.detail, one.off, one.mend)))
    if as_json:
        say([one.to_json() for one in found], True, "")
    else:
        out.print(table)
    raise typer.Exit(1 if needs_mending(found) else 0)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    with_worker: Annotated[bool, typer.Option(help="Run a worker beside the pages.")] = True,
) -> None:
    """Serve the pages; on this machine only unless told otherwise.

    Ctrl-C or SIGTERM ends service and worker; a second one does not wait for a job's present step.
    """
    from app.serving import serve as serve_pages

    with termination_as_interrupt(), installation() as opened:
        settings = opened.settings
        tell_of_missing_guards(opened.database)
        where, at = host or settings.host, port or settings.port
        tell(f"Serving {settings.data_dir} at http://{where}:{at}; Ctrl-C ends it.")
        serve_pages(settings, where, at, with_worker)


def worker(
    once: Annotated[bool, typer.Option(help="End when nothing is left to do.")] = False,
) -> None:
    """Do the jobs that were asked for."""
    import logging

    from app.nightly import ask_for_the_next
    from app.worker import run_worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with installation() as opened:
        tell_of_missing_guards(opened.database)
        if not once:
            ask_for_the_next(opened.database)
        run_worker(opened.database, opened.settings, once=once)


def tell_of_missing_guards(database: "Database") -> None:
    """Say at the start which changes the database would not refuse by itself."""
    from core.ledger.guards import missing_guards

    with database.engine.connect() as connection:
        missing = missing_guards(connection)
    if missing:
        tell(
            f"The database lacks {len(missing)} of its guards ({', '.join(missing[:3])}, ...), so "
            "it would let history be changed. Run 'fiducial audit verify' to see whether it was, "
            "then 'fiducial db upgrade' to make them again."
        )


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema and make its guards anew."""
    from app.schema import newest, upgrade
    from core.settings import get_settings

    upgrade(get_settings())
    told = f"The database is at {newest()}, with its guards in place."
    say(told, False, told)


def backup(
    target: Annotated[Path, typer.Argument(help="File to make, or a folder.")],
    passphrase: Annotated[
        str | None,
        typer.Option(
            envvar="FIDUCIAL_BACKUP_PASSPHRASE", help="Adds the signing keys, encrypted with it."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Back up an installation in use; exit 3 when made, but something in it is damaged.

    Database, files, repositories and, with a passphrase, the keys.
    """
    from core.backup import backup as make

    with installation() as opened:
        made = make(opened.settings, target, passphrase, tell)
    say(made.to_json(), as_json, str(made))
    raise typer.Exit(WITH_FAULTS if made.faults else 0)


def restore(
    source: Annotated[Path, typer.Argument(help="A backup.")],
    into: Annotated[Path, typer.Option(help="A folder that is empty or does not exist.")],
    passphrase: Annotated[str | None, typer.Option(envvar="FIDUCIAL_BACKUP_PASSPHRASE")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an installation from a backup and audit it; exit 3 when something does not fit."""
    from app.tables import prepare
    from core.backup import restore as make
    from core.settings import get_settings

    prepare()
    database_url = get_settings().database_url or None
    made = make(source, into, passphrase, database_url, tell)
    say(made.to_json(), as_json, str(made))
    raise typer.Exit(WITH_FAULTS if made.faults else 0)


def demo(
    serve_after: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the pages afterwards.")
    ] = True,
) -> None:
    """Load the demonstration, validate its release, build and verify the pack, then serve.

    Ctrl-C or SIGTERM ends it; a second run goes on where this one stopped.
    """
    from app.demo.demo import run_demo
    from core.settings import get_settings

    with termination_as_interrupt():
        try:
            run_demo(get_settings(), out, serve=serve_after)
        except KeyboardInterrupt:
            tell("Stopped. What was done stays; 'fiducial demo' goes on from here.")
            raise


def require_file(path: Path) -> Path:
    """Refuse a path that is no file, by its name."""
    if not path.is_file():
        raise Invalid(f"{path} is no file.")
    return path
