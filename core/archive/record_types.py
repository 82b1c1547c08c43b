"""Whether record types are the same where a project arrives as where it came from."""

from collections.abc import Iterable

from core.canonical import digest
from core.records.types import get_registry


def types_told(names: Iterable[str]) -> dict[str, str]:
    """Return the digest of each record type, as this installation has it."""
    registry = get_registry()
    known = set(registry.names())
    return {
        name: digest(registry.of(name).model_dump(mode="json")) if name in known else ""
        for name in sorted(names)
    }
