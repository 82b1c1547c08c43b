"""A baseline as plain values: its root hash, and what differs between two. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.canonical import digest


@dataclass(frozen=True, order=True)
class BaselineLine:
    """One frozen record: which revision, and the digest of its envelope."""

    project: str
    uid: str
    revision: int
    digest: str


@dataclass(frozen=True)
class Changed:
    """One record that is in both baselines and not the same."""

    before: BaselineLine
    after: BaselineLine


@dataclass(frozen=True)
class BaselineDiff:
    """What differs between two baselines, each list in the order of project and uid."""

    added: tuple[BaselineLine, ...]
    removed: tuple[BaselineLine, ...]
    changed: tuple[Changed, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.changed)


def root_hash(lines: Iterable[BaselineLine]) -> str:
    """Return one SHA-256 over all lines, whatever order they come in.

    Examples
    --------
    >>> one, two = BaselineLine("RPM", "UN-001", 1, "ab"), BaselineLine("RPM", "UN-002", 1, "cd")
    >>> root_hash([one, two]) == root_hash([two, one])
    True
    """
    return digest([[line.project, line.uid, line.revision, line.digest] for line in sorted(lines)])


def compare(before: Iterable[BaselineLine], after: Iterable[BaselineLine]) -> BaselineDiff:
    """Return what `after` holds that `before` does not, and the other way round."""
    old, new = _by_record(before), _by_record(after)
    return BaselineDiff(
        added=tuple(new[key] for key in sorted(new.keys() - old.keys())),
        removed=tuple(old[key] for key in sorted(old.keys() - new.keys())),
        changed=tuple(
            Changed(old[key], new[key])
            for key in sorted(old.keys() & new.keys())
            if old[key] != new[key]
        ),
    )


def _by_record(lines: Iterable[BaselineLine]) -> Mapping[tuple[str, str], BaselineLine]:
    return {(line.project, line.uid): line for line in lines}
