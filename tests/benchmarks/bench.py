"""What a benchmark measures: one figure, the budget it must keep, and a peer's where one ran."""

import math
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measured figure.

    Attributes
    ----------
    name, unit : str
        What was measured, and in what.
    value : float
        The figure.
    budget : float or None
        The largest that is allowed (`at_least`: the smallest); None for what is only measured.
    peer, peer_value
        Which other program did the same work in the same run, and its figure.
    """

    name: str
    value: float
    unit: str
    budget: float | None = None
    at_least: bool = False
    peer: str = ""
    peer_value: float | None = None

    @property
    def met(self) -> bool:
        """Whether the figure keeps its budget."""
        if self.budget is None:
            return True
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    @property
    def ratio(self) -> float | None:
        """The peer's figure over ours: how many times as much the peer took."""
        return self.peer_value / self.value if self.peer_value and self.value else None

    def to_json(self) -> dict[str, Any]:
        """Return the row as it stands in var/bench.json."""
        row = {**asdict(self), "met": self.met, "ratio": self.ratio}
        del row["at_least"]
        return {key: value for key, value in row.items() if value not in (None, "")}


STEEPEST = 1.3
"""n log n between a thousand and ten thousand is n to the 1.13; the rest is a machine's unrest."""


def growth(name: str, seconds: Mapping[int, float]) -> Row:
    """Return how cost grows with size: the slope of log cost over log size, 2 for a quadratic."""
    (small, less), (large, more) = min(seconds.items()), max(seconds.items())
    slope = math.log(more / less) / math.log(large / small)
    return Row(f"{name}: growth from {small:,} to {large:,}", slope, "exponent", STEEPEST)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of the children that ended."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def cpu_time(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the least CPU time of some repeats: what disturbs a measurement only ever adds."""
    times = []
    for _ in range(repeats):
        before = cpu_seconds()
        work()
        times.append(cpu_seconds() - before)
    return min(times)


def wall_time(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the least wall time of some repeats."""
    times = []
    for _ in range(repeats):
        before = time.perf_counter()
        work()
        times.append(time.perf_counter() - before)
    return min(times)
