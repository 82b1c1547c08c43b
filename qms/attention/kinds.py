"""What can need attention in a project, by the words of the page. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One thing that is counted now and every night.

    Attributes
    ----------
    name : str
        Under which the count is kept in the audit trail; it is never used for anything else.
    label : str
        What the page calls it.
    told : str
        What exactly is counted.
    listed : str
        The address of the list, after the project's own.
    """

    name: str
    label: str
    told: str
    listed: str


KINDS = (
    Kind(
        "errors",
        "Errors",
        "findings that stop the release check",
        "/findings?show=errors",
    ),
    Kind("warnings", "Warnings", "findings that are only shown", "/findings?show=warnings"),
    Kind("re_review", "Needs re-review", "records with a changed neighbour", "/re-review"),
    Kind(
        "marked_lines",
        "Marked lines",
        "places in source that changed since their record was approved",
        "/trend#lines",
    ),
    Kind("failing_tests", "Failing tests", "by their latest run", "/trace?rows=test&show=failing"),
    Kind(
        "in_review",
        "Unsigned",
        "records in review that were never in force",
        "/records?state=in_review",
    ),
    Kind("drafts", "Drafts", "records that nobody submitted yet", "/records?state=draft"),
    Kind(
        "overdue_actions",
        "Overdue actions",
        "actions, corrective actions and reports to authorities past their day",
        "/trend#overdue",
    ),
    Kind(
        "overdue_training",
        "Overdue training",
        "people with a training past its day",
        "/training?show=overdue",
    ),
    Kind(
        "lacking_training",
        "Lacking training",
        "people who lack what their role asks for",
        "/training?show=anything+missing",
    ),
    Kind(
        "expiring",
        "Expiring concessions",
        "in force, and ending within 30 days",
        "/trend#expiring",
    ),
)


def address(kind: Kind, project: str) -> str:
    """Return where the list of a kind is."""
    return f"/p/{project}{kind.listed}"
