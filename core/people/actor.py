"""Who acts: a person with the roles they hold, as every service is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

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
class Lent:
    """Whose role a deputy holds, and to which day."""

    uid: str
    name: str
    until: date


def as_deputy(words: str, deputy_for: str) -> str:
    """Return a role or a name as it is printed where a deputy acted.

    Examples
    --------
    >>> as_deputy("quality manager", "Esther Quill")
    'quality manager as deputy for Esther Quill'
    >>> as_deputy("quality manager", "")
    'quality manager'
    """
    return f"{words} as deputy for {deputy_for}" if deputy_for else words


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
    lent : mapping
        Those of the roles that are held in place of somebody else, by project id and role.
    """

    person_id: int
    name: str
    uid: str
    roles: Mapping[int | None, frozenset[str]] = field(default_factory=dict)
    lent: Mapping[tuple[int, str], Lent] = field(default_factory=dict)

    @property
    def is_administrator(self) -> bool:
        """Whether the person runs this installation; that gives no right to sign anything."""
        return ADMINISTRATOR in self.roles.get(None, frozenset())

    @property
    def may_begin_projects(self) -> bool:
        """Whether the person may begin a project; one who administers a single project may not.

        Nor may a deputy: whoever begins a project keeps roles in it.
        """
        return self.is_administrator or any(
            FOUNDER in held and (project_id, FOUNDER) not in self.lent
            for project_id, held in self.roles.items()
        )

    def roles_in(self, project_id: int) -> frozenset[str]:
        """Return every role held in a project, those held everywhere included."""
        return self.roles.get(project_id, frozenset()) | self.roles.get(None, frozenset())

    def has(self, project_id: int, *roles: str) -> bool:
        """Whether any of some roles is held in a project."""
        return not self.roles_in(project_id).isdisjoint(roles)

    def held_of(self, project_id: int, roles: Iterable[str]) -> tuple[str, ...]:
        """Return those of some roles that are held in a project, one's own before lent ones."""
        held = [role for role in roles if self.has(project_id, role)]
        return tuple(sorted(held, key=lambda role: (project_id, role) in self.lent))

    def deputy_for(self, project_id: int, role: str) -> Lent | None:
        """Return in whose place a role is held, or None where it is one's own."""
        return self.lent.get((project_id, role))

    def capacity(self, project_id: int, role: str) -> str:
        """Return a role in words, with whose deputy the person is in it."""
        found = self.deputy_for(project_id, role)
        return as_deputy(role.replace("_", " "), found.name if found else "")

    def belongs_to(self, project_id: int) -> bool:
        """Whether the person may read a project at all."""
        return bool(self.roles_in(project_id))
