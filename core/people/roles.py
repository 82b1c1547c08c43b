"""The roles that can be granted here: those that ship, and those that a department named."""

from functools import lru_cache

from core.errors import Fault, Invalid
from core.located_yaml import read_mapping
from core.people.actor import ROLES
from core.settings import get_settings

ROLES_FILE = "roles.yaml"
"""In the folder of the department's types: what it calls its further roles."""


@lru_cache
def known_roles() -> tuple[str, ...]:
    """Return every role that can be granted, in alphabetical order.

    Raises
    ------
    Invalid
        With every fault of the department's file.
    """
    folder = get_settings().types_dir
    file = folder / ROLES_FILE if folder is not None else None
    if file is None or not file.is_file():
        return ROLES
    given = read_mapping(file.read_bytes(), ROLES_FILE)
    faults = [
        Fault("roles-key", f"{ROLES_FILE}:{given.line_of(key)} {key}", "is no key here.", _MEND)
        for key in given
        if key != "roles"
    ]
    named = given.get("roles")
    if not isinstance(named, list) or not named:
        faults.append(Fault("roles-list", f"{ROLES_FILE}:1 roles", "lists no role.", _MEND))
        named = []
    for number, one in enumerate(named):
        where = f"{ROLES_FILE}:{given.line_of('roles')} roles.{number}"
        if not isinstance(one, str) or not _is_word(one):
            what = f"{one!r} is no name of a role."
            mend = "Use lower-case letters, digits and _, at most 60."
            faults.append(Fault("roles-name", where, what, mend))
        elif one in ROLES or named.index(one) != number:
            faults.append(
                Fault("roles-twice", where, f"'{one}' is a role already.", "Take it out.")
            )
    if faults:
        raise Invalid("The roles of this department cannot be used.", faults)
    return tuple(sorted({*ROLES, *named}))


_MEND = "Write `roles: [medical_physics_expert]`."


def _is_word(text: str) -> bool:
    plain = text.replace("_", "a")
    return (
        text[:1].isalpha()
        and plain.isalnum()
        and text.isascii()
        and text == text.lower()
        and len(text) <= 60
    )
