"""Commands about bills of materials: write one, compare one with the register."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import AsJson, installation, say, tell, write_bytes

if TYPE_CHECKING:
    from qms.soup.components import Bill

sbom = typer.Typer(help="Software bills of materials.", no_args_is_help=True)

Lock = Annotated[Path | None, typer.Option(help="A lock file of Python packages.")]
Environment = Annotated[
    bool, typer.Option("--environment", help="What is installed beside this command.")
]
Python = Annotated[
    str, typer.Option(help="Read the markers of the lock file for this Python, e.g. 3.12.")
]


@sbom.command("write")
def write(
    lock: Lock = None,
    environment: Environment = False,
    output: Annotated[Path | None, typer.Option(help="File to write.")] = None,
    product: Annotated[str, typer.Option(help="Name of what the bill is of.")] = "fiducial",
    release: Annotated[str, typer.Option(help="Version of what the bill is of.")] = "",
    spec: Annotated[str, typer.Option(help="Version of CycloneDX: 1.5 or 1.6.")] = "1.6",
    python: Python = "",
    created: Annotated[
        datetime | None, typer.Option(help="Time to state in it; none unless given.")
    ] = None,
) -> None:
    """Write a CycloneDX bill of materials; the same input gives the same bytes."""
    from core.clock import now
    from qms.soup.writing import SPEC_VERSIONS, sbom_json

    if spec not in SPEC_VERSIONS:
        raise typer.BadParameter(f"there are {' and '.join(SPEC_VERSIONS)}", param_hint="--spec")
    bill = _source(lock, None, environment, python, root=product)
    at = created.replace(tzinfo=now().tzinfo) if created is not None else None
    content = sbom_json(bill.components, product, release, at, spec)
    if output is None:
        write_bytes(content)
    else:
        output.write_bytes(content)
        tell(f"{output} holds {len(bill.components)} components.")


@sbom.command("compare")
def compare(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")],
    lock: Lock = None,
    sbom_file: Annotated[
        Path | None, typer.Option("--sbom", help="A CycloneDX bill of materials in JSON.")
    ] = None,
    environment: Environment = False,
    release: Annotated[
        str | None, typer.Option(help="Look only for what this release's items use.")
    ] = None,
    python: Python = "",
    product: Annotated[
        str, typer.Option(help="The installed package whose own requirements are direct.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Compare what is built with the register of a project; exit 1 when they disagree."""
    from core.records.service import find_project
    from qms.soup.comparison import what_it_cannot_tell
    from qms.soup.service import as_json as told
    from qms.soup.service import compare_bill

    bill = _source(lock, sbom_file, environment, python, root=product)
    with installation() as opened, opened.database.reading() as session:
        compared = compare_bill(session, find_project(session, project_key), bill, release)
    result = compared.result
    if result is None:
        raise typer.Exit(1)
    lines = [f"{one.word}: {one.sentence}" for one in result.disagreements]
    lines += [line for line in (what_it_cannot_tell(bill),) if line]
    if result.not_sought:
        names = ", ".join(f"{one.uid} {one.record.title}" for one in result.not_sought)
        lines.append(f"No package that a {bill.source} can state: {names}.")
    lines.append(
        f"{len(bill.components)} components in the {bill.source} {bill.name}"
        f"{f', read for {bill.read_for}' if bill.read_for else ''}: {result.agreeing} agree with "
        f"the register, {len(result.along)} came along, {len(result.development)} are for "
        f"development; {len(result.disagreements)} findings."
    )
    say(told(compared), as_json, "\n".join(lines))
    raise typer.Exit(0 if result.agrees else 1)


def _source(
    lock: Path | None, sbom_file: Path | None, environment: bool, python: str, root: str = ""
) -> "Bill":
    """Read the one source that was named."""
    from qms.soup.bills import read_sbom
    from qms.soup.environment import installed
    from qms.soup.locks import read_lock
    from qms.soup.markers import this_machine

    if sum((lock is not None, sbom_file is not None, environment)) != 1:
        raise typer.BadParameter("name one source: a file, or --environment")
    if lock is not None:
        return read_lock(_content(lock), lock.name, this_machine(python))
    if python:
        raise typer.BadParameter("only a lock file has markers", param_hint="--python")
    if sbom_file is not None:
        return read_sbom(_content(sbom_file), sbom_file.name)
    return installed(root)


def _content(path: Path) -> bytes:
    from core.errors import Fault, Invalid

    try:
        return path.read_bytes()
    except OSError as error:
        fault = Fault("SR00", str(path), f"{error.strerror}.", "Name a file that can be read.")
        raise Invalid("Nothing was compared.", [fault]) from error
