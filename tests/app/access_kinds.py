"""The kinds of people and the shape of a line of `tests.app.access_table`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.people.actor import ROLES
from tests.app.furnished import ANONYMOUS, NEIGHBOUR, OWNER, STRANGER

MEMBERS = frozenset({*ROLES, OWNER})
"""Whoever holds any role in the project; who administers the installation reads every project."""

SIGNED_IN = MEMBERS | {STRANGER, NEIGHBOUR}
EVERYBODY = SIGNED_IN | {ANONYMOUS}

AUTHORS = frozenset({"author", "developer"})
RUNNERS = frozenset({"tester", "validation_tester", "release_manager"})
REPORTERS = RUNNERS | {"developer", "quality_manager"}
"""Who imports the results of tests."""

CHECKERS = REPORTERS | {"author", "technical_reviewer"}
"""Who has files of other tools checked."""

KEEPERS = frozenset({"administrator", OWNER, "developer", "release_manager", "quality_manager"})
CANCELLERS = frozenset({OWNER, "author", "quality_manager", "release_manager"})
"""Of the job that the author asked for."""

PACKERS = frozenset({"release_manager", "quality_manager"})
FOUNDERS = frozenset({OWNER, NEIGHBOUR, "quality_manager"})
"""Who holds the role in any project may begin another; the neighbour holds every role next door."""

FREEZERS = frozenset({"author", "release_manager", "quality_manager"})
"""Who freezes a baseline on its own."""

NAMERS = frozenset({"quality_manager", "administrator", OWNER})
"""Who names deputies."""

CONFIRMERS = frozenset(ROLES) - {"administrator", "auditor", "viewer"}
"""Who may say that a connection is as it is described."""

QA_PEOPLE = AUTHORS | {"technical_reviewer", "quality_manager", "administrator", OWNER}
"""Who may have QATrack+ read before the night comes."""

ONLY_OWNER = frozenset({OWNER})
WRITER = frozenset({"author"})
"""Others may write the type too, but this revision is not theirs to submit."""

RAISERS = frozenset(ROLES) - {"administrator"}
"""Whoever reads the project in a role of quality work meets problems, and reports them."""

PROBLEM_WRITERS = AUTHORS | {
    "clinical_safety_officer", "quality_manager", "release_manager", "technical_reviewer",
}  # fmt: skip
"""Who works on a problem that somebody else reported."""

NEED_WRITERS = AUTHORS | {"clinical_lead"}
NEED_SIGNERS = frozenset({"clinical_lead", "quality_manager"})
"""The author of the revision, the only other one who signs, signed by submitting."""


@dataclass(frozen=True)
class Line:
    """One route, who gets through to it, and what a request that can be granted looks like.

    Attributes
    ----------
    done : int
        The status that each of `who` is answered with; everybody else is refused.
    at : mapping
        Which thing of the installation a part of the address names, where it is not the usual one.
    sends : mapping
        The form, in which ``{name}`` stands for a thing.
    otherwise : int
        How everybody else is told off, where that is not the usual way.
    listed : frozenset of str
        What of `sends` is one of a list, where it is sent as JSON.
    """

    route: str
    who: frozenset[str]
    done: int = 200
    at: Mapping[str, str] = field(default_factory=dict)
    sends: Mapping[str, str] = field(default_factory=dict)
    otherwise: int = 0
    listed: frozenset[str] = frozenset()

    @property
    def method(self) -> str:
        """GET, POST, PUT or DELETE."""
        return self.route.split()[0]

    @property
    def path(self) -> str:
        """The address, with its parts in braces."""
        return self.route.split()[1]
