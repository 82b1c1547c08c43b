"""Who acts: a person with the roles they hold, as every service is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ADMINISTRATOR = "administrator"
FOUNDER = "quality_manager"
"""The role that begins projects, wherever it is held."""

ROLES = (
    ADMINISTRATOR,
    "auditor",
    "author",
    "clinical_lead",
    "clinical_safety_officer",
    "developer",
    "quality_manager",
    "release_manager",
    "technical_reviewer",
    "tester",
    "top_management",
    "trainer",
    "usability_lead",
    "user",
    "validation_tester",
    "viewer",
)
"""Every role that can be granted. A viewer reads; what the others may sign is said by the types."""


@dataclass(frozen=True)
class Actor:
    """One signed-in person.

    Attributes
    ----------
    person_id : int
    name : str
        The printed name, as it stands beside a signature.
    uid : str
        The person's uid, e.g. "PPL-AK".
    roles : mapping
        Project id to the roles held there; None holds the roles held everywhere.
    """

    person_id: int
    name: str
    uid: str
    roles: Mapping[int | None, frozenset[str]] = field(default_factory=dict)

    @property
    def is_administrator(self) -> bool:
        """Whether the person runs this installation; that gives no right to sign anything."""
        return ADMINISTRATOR in self.roles.get(None, frozenset())

    @property
    def may_begin_projects(self) -> bool:
        """Whether the person may begin a project; one who administers a single project may not."""
        return self.is_administrator or any(FOUNDER in held for held in self.roles.values())

    def roles_in(self, project_id: int) -> frozenset[str]:
        """Return every role held in a project, those held everywhere included."""
        return self.roles.get(project_id, frozenset()) | self.roles.get(None, frozenset())

    def has(self, project_id: int, *roles: str) -> bool:
        """Whether any of some roles is held in a project."""
        return not self.roles_in(project_id).isdisjoint(roles)

    def belongs_to(self, project_id: int) -> bool:
        """Whether the person may read a project at all."""
        return bool(self.roles_in(project_id))
