"""The command line: `fiducial`, assembled from app/commands."""

import typer

import app.collecting  # noqa: F401 - before what makes many objects
from app.commands import (
    baselines,
    bills,
    checking,
    clauses,
    descriptions,
    documents,
    evidence,
    exchange,
    exporting,
    flows,
    importing,
    interchange,
    people,
    probes,
    records,
    results,
    service,
)
from app.commands.console import RefusingGroup

cli = typer.Typer(
    name="fiducial",
    help="The quality record of a clinical scientific computing department.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    cls=RefusingGroup,
)

flows.flows.command("probe")(probes.probe)
flows.flows.command("drift")(probes.drift)

for command in (
    service.init,
    service.doctor,
    service.serve,
    service.worker,
    service.demo,
    service.backup,
    service.restore,
    checking.check,
    clauses.clauses,
    records.trace,
    evidence.validate,
    evidence.verify,
):
    cli.command()(command)
cli.command("data-sets")(evidence.data_sets)
cli.command("trace-check")(interchange.trace_check)
cli.add_typer(importing.imports, name="import")
cli.add_typer(exporting.exports, name="export")
cli.add_typer(service.db, name="db")
records.project.command("new")(descriptions.new_description)
records.project.command("show")(descriptions.show_description)
cli.add_typer(records.project, name="project")
cli.add_typer(exchange.records, name="records")
cli.add_typer(records.git, name="git")
cli.add_typer(records.audit, name="audit")
cli.add_typer(results.results, name="results")
cli.add_typer(baselines.baseline, name="baseline")
cli.add_typer(people.people, name="people")
cli.add_typer(documents.documents, name="documents")
cli.add_typer(bills.sbom, name="sbom")
cli.add_typer(flows.flows, name="flows")
cli.add_typer(evidence.dose, name="dose")
cli.add_typer(evidence.pack, name="pack")
cli.add_typer(evidence.tools, name="tools")


if __name__ == "__main__":
    cli()
