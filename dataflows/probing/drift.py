"""Hold the destinations that a system says it has against the ones it is modelled with. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.records.snapshot import natural_order
from dataflows.inventory import Department
from dataflows.probing.associations import associations
from dataflows.probing.lists import Destination


class Endpoint(NamedTuple):
    """Where a system listens."""

    ae: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.ae} at {self.host}:{self.port}"

    @property
    def folded(self) -> tuple[str, str, int]:
        """As it is compared: the case of a host name says nothing, that of an AE title does."""
        return self.ae.strip(), self.host.strip().lower().rstrip("."), self.port


class Use(NamedTuple):
    """One association of a connection that leads to an endpoint."""

    connection: str
    number: int


@dataclass(frozen=True)
class Modelled:
    """An endpoint that a system is modelled with, and the associations that lead there."""

    endpoint: Endpoint
    uses: tuple[Use, ...]

    @property
    def connections(self) -> tuple[str, ...]:
        """The connections, each once."""
        return tuple(dict.fromkeys(use.connection for use in self.uses))


@dataclass(frozen=True)
class Changed:
    """An endpoint that the list gives otherwise than the model."""

    before: Modelled
    after: Destination

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint as the list has it."""
        return Endpoint(self.after.ae, self.after.host, self.after.port)

    @property
    def what(self) -> str:
        """What of it is another: AE title, host, port."""
        before, after = self.before.endpoint.folded, self.endpoint.folded
        words = ("AE title", "host", "port")
        pairs = zip(words, before, after, strict=True)
        return ", ".join(word for word, old, new in pairs if old != new)


@dataclass(frozen=True)
class Drift:
    """What differs between a list and the model."""

    same: tuple[tuple[Modelled, Destination], ...] = ()
    changed: tuple[Changed, ...] = ()
    added: tuple[Destination, ...] = ()
    removed: tuple[Modelled, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether list and model agree."""
        return not (self.changed or self.added or self.removed)

    @property
    def told(self) -> str:
        """What differs, in one line."""
        if self.is_none:
            return f"no drift: {len(self.same)} endpoints agree"
        return (
            f"{len(self.added)} added, {len(self.removed)} removed, {len(self.changed)} changed, "
            f"{len(self.same)} the same"
        )


def modelled_destinations(department: Department, system: str) -> list[Modelled]:
    """Return every endpoint that a system, or a part of it, is modelled to ask."""
    inside = frozenset(department.within(system))
    uses: dict[tuple[str, str, int], list[Use]] = {}
    endpoints: dict[tuple[str, str, int], Endpoint] = {}
    for one in associations(department):
        if one.asking not in inside or one.listening in inside:
            continue
        question = one.question
        endpoint = Endpoint(question.called_ae, question.host, question.port)
        endpoints.setdefault(endpoint.folded, endpoint)
        uses.setdefault(endpoint.folded, []).append(Use(one.connection.uid, one.number))
    return [
        Modelled(endpoint, tuple(sorted(uses[key], key=_order)))
        for key, endpoint in sorted(endpoints.items())
    ]


def _order(use: Use) -> tuple[tuple[tuple[int, int, str], ...], int]:
    return natural_order(use.connection), use.number


def compare(modelled: Sequence[Modelled], listed: Iterable[Destination]) -> Drift:
    """Compare a list with a model.

    An endpoint that is in one of them only is paired with one of the other that has the same AE
    title, and then with one at the same host and port: that one has changed. Pairing is only done
    where it is the only one that fits; where two would, all of them are told as they are.
    """
    left = {one.endpoint.folded: one for one in modelled}
    right = {Endpoint(one.ae, one.host, one.port).folded: one for one in listed}
    same = tuple((left[key], right[key]) for key in sorted(left.keys() & right.keys()))
    for key in left.keys() & right.keys():
        del left[key], right[key]
    changed: list[Changed] = []
    for part in (slice(0, 1), slice(1, 3)):
        for key in sorted(left):
            fits = [other for other in right if other[part] == key[part]]
            rivals = [other for other in left if other[part] == key[part]]
            if len(fits) == 1 and len(rivals) == 1:
                changed.append(Changed(left.pop(key), right.pop(fits[0])))
    added = sorted(right.values(), key=lambda one: one.line)
    return Drift(same, tuple(changed), tuple(added), tuple(left[key] for key in sorted(left)))
