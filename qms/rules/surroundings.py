"""Families G and H: the department around the device, and the data it was tested on."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections import defaultdict
from collections.abc import Iterator

from core.records.snapshot import RecordView
from qms.rules.findings import Flaw
from qms.rules.view import THE_DEVICE, Subjects, View, filled, in_force, missing, rule

_ROLES_TO_CONNECTIONS = ("received_over", "exercises", "arises_on")

_CONNECTIONS = Subjects(
    "connections that records of the device name",
    lambda view: list(
        {
            target.key: target
            for record in view.own
            if not record.withdrawn
            for role in _ROLES_TO_CONNECTIONS
            for target in view.targets(record, role)
        }.values()
    ),
)


@rule("G01", "The device is realised by a system of the department", THE_DEVICE)
def device_has_a_system(view: View, record: RecordView) -> Iterator[Flaw]:
    """The department map says where the device runs, and the device says the same."""
    realising = view.sources(record, "realises")
    if not realising:
        yield Flaw(
            "is realised by no system of the department map.",
            "Link the system that runs it (realises).",
        )
    systems = {system.key for system in realising}
    for item in view.in_force("software_item"):
        for system in view.targets(item, "deployed_on"):
            if system.key not in systems:
                yield Flaw(
                    f"has {item.key.uid} deployed on {system.key.uid}, which does not realise it.",
                    "Make the map and the device say the same.",
                    at=system.key,
                )


@rule("G02", "Each connection that a device record refers to has a QA procedure", _CONNECTIONS)
def connections_have_qa(view: View, record: RecordView) -> Iterator[Flaw]:
    """What the device relies on is tested regularly."""
    if not view.sources(record, "controls_connection"):
        yield Flaw("has no QA procedure.", "Link a QA procedure to the connection.")


@rule(
    "H02",
    "Data set states origin, consent basis and demographics, and its groups add up",
    in_force("dataset", "data sets"),
)
def data_sets_are_described(_: View, record: RecordView) -> Iterator[Flaw]:
    """Who is in it, by what right, and how many of each."""
    lacking = missing(record, {"origin": "its origin", "consent": "its consent basis"})
    if not filled(record, "demographics") and not filled(record, "demographics_statement"):
        lacking.append("its demographics")
    if lacking:
        yield Flaw(f"does not state {', '.join(lacking)}.", "Fill it in.")
    sums: dict[str, int] = defaultdict(int)
    for row in record.fields.get("demographics") or ():
        sums[str(row.get("characteristic"))] += int(row.get("count") or 0)
    for characteristic, total in sums.items():
        if total != record.fields.get("count"):
            yield Flaw(
                f"counts {total} by {characteristic} and holds {record.fields.get('count')}.",
                "Correct the groups or the count.",
            )
