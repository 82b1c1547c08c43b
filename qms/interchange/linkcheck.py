"""Hold every link of a corpus against the items it joins, and name all that is wrong at once.

Each defect is told once, where it was written, and the cost grows with the items and links alone.
One mistake is one finding: a link that leads nowhere does not also make its item an orphan, and
one that is turned round does not also close a cycle.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from qms.interchange.corpus import Corpus, Finding, Item, Place, Reference
from qms.interchange.cycles import knots, way_round
from qms.interchange.near_ids import NearIds

DANGLING, TWICE, CYCLE, SELF = "TR101", "TR102", "TR103", "TR104"
ORPHAN, UNCOVERED, WRONG_WAY, OUTDATED, SAID_TWICE = "TR105", "TR106", "TR107", "TR108", "TR109"

LINKS: Mapping[str, str] = {
    DANGLING: "Link to an item that is not there",
    TWICE: "Id that two items have",
    CYCLE: "Links that lead in a circle",
    SELF: "Item that links to itself",
    ORPHAN: "Item that stands under nothing",
    UNCOVERED: "Item that nothing covers",
    WRONG_WAY: "Link against the order of the levels",
    OUTDATED: "Link made for another revision than its target has",
    SAID_TWICE: "Link that one item states twice",
}
"""Faults of links; the codes of files end before TR100."""

SHOWN = 12
"""Items of a circle that are named; the others are counted."""

COUNTED_SLIPS = 2_000
"""Dangling links for which the id that was meant is looked for."""


@dataclass(frozen=True)
class Words:
    """What the roles of a format mean for its traces."""

    up: frozenset[str] | None = None
    """Roles from an item to what it stands under; None where every other role is one."""
    down: frozenset[str] = frozenset()
    aside: frozenset[str] = frozenset()
    """Roles between items that order nothing."""
    elsewhere: frozenset[str] = frozenset()
    """Roles whose target is no item: a file, for one."""
    stamped: bool = False
    """Whether a link should state what it was made for, so that one without cannot be judged."""

    def leads_up(self, role: str) -> bool:
        """Tell whether a role leads to what its item stands under."""
        if self.up is not None:
            return role in self.up
        return role not in self.down | self.aside | self.elsewhere


WORDS: Mapping[str, Words] = {
    "doorstop": Words(up=frozenset({"parent"}), stamped=True),
    "openfasttrace": Words(up=frozenset({"covers"}), aside=frozenset({"depends"})),
    "strictdoc": Words(
        up=frozenset({"Parent"}), down=frozenset({"Child"}), elsewhere=frozenset({"File"})
    ),
    "roboclerk": Words(up=frozenset({"Parent"}), down=frozenset({"Child"})),
}
"""By the format of a corpus; what is not named here has roles that all lead up."""

_NO_PART = frozenset({"heading", "informative"})
"""Kinds of Doorstop that are text between the items; nothing has to cover them."""


@dataclass(frozen=True)
class LinkCheck:
    """What the links of a corpus came to."""

    findings: tuple[Finding, ...]
    links: int
    not_judged: Mapping[str, int] = field(default_factory=dict)
    """What could not be said, and of how many; a check that says nothing is no success."""

    @property
    def counts(self) -> dict[str, int]:
        """How often each code was found, those of no finding too."""
        found = Counter(one.code for one in self.findings)
        return {code: found[code] for code in LINKS}


@dataclass(frozen=True)
class _Edge:
    """A link from what stands below to what stands above, whichever of them stated it."""

    below: str
    above: str
    place: Place


def check_links(corpus: Corpus, levels: Sequence[str] = ()) -> LinkCheck:
    """Return everything that is wrong with the links of a corpus.

    Parameters
    ----------
    corpus : Corpus
        What a reader made of the files.
    levels : sequence of str
        Kinds or documents from the top down, where the format states none or others are meant.
    """
    above = {level: tuple(levels[at - 1 : at]) for at, level in enumerate(levels)}
    return _Check(corpus, above or dict(corpus.above)).run()


class _Check:
    """One run over a corpus."""

    def __init__(self, corpus: Corpus, above: Mapping[str, tuple[str, ...]]) -> None:
        self.corpus = corpus
        self.words = WORDS.get(corpus.format, Words())
        self.above = above
        self.over = {level: _closure(level, above) for level in above}
        self.items: dict[str, Item] = {}
        self.found: list[Finding] = []
        self.not_judged: Counter[str] = Counter()
        self.edges: list[_Edge] = []
        self.links = 0
        self._near: NearIds | None = None
        self._slips = 0

    def run(self) -> LinkCheck:
        """Go over the items once, then over what they made of the graph."""
        self._names()
        stamped = self.words.stamped or any(
            one.stated for item in self.corpus.items for one in item.references
        )
        tried: set[str] = set()
        for item in self.corpus.items:
            told: set[tuple[object, ...]] = set()
            for one in item.references:
                if one.role in self.words.elsewhere:
                    continue
                self.links += 1
                if self._said_twice(item, one, told):
                    continue
                if self.words.leads_up(one.role):
                    tried.add(item.uid)
                self._reference(item, one, stamped)
        self._circles()
        self._ends(tried)
        found = sorted(self.found, key=lambda one: (one.place.file, one.place.line or 0, one.code))
        left = {name: count for name, count in self.not_judged.items() if count}
        return LinkCheck(tuple(found), self.links, left)

    def tell(self, code: str, item: Item, place: Place, what: str, mend: str = "") -> None:
        """Keep a finding."""
        self.found.append(Finding(code, what, place, item.uid, mend))

    def _names(self) -> None:
        for item in self.corpus.items:
            first = self.items.setdefault(item.uid, item)
            if first is not item:
                what = f"{item.uid} is the id of another item already, at {first.place}."
                self.tell(TWICE, item, item.place, what, "Give one of the two an id of its own.")

    def _said_twice(self, item: Item, one: Reference, told: set[tuple[object, ...]]) -> bool:
        key = (one.role, one.target, *sorted(one.attributes.items()))
        if key in told:
            what = f"{item.uid} says twice that it leads to {one.target} ({one.role})."
            self.tell(SAID_TWICE, item, one.place, what, "Say it once.")
            return True
        told.add(key)
        return False

    def _reference(self, item: Item, one: Reference, stamped: bool) -> None:
        target = self.items.get(one.target)
        if target is None:
            what = f"{item.uid} leads to {one.target} ({one.role}), which is not there."
            self.tell(DANGLING, item, one.place, what, self._meant(one.target))
            return
        if one.target == item.uid:
            what = f"{item.uid} leads to itself ({one.role})."
            self.tell(SELF, item, one.place, what, "Take the link out.")
            return
        self._revision(item, one, target, stamped)
        if self.words.leads_up(one.role):
            self._edge(_Edge(item.uid, one.target, one.place), item)
        elif one.role in self.words.down:
            self._edge(_Edge(one.target, item.uid, one.place), item)

    def _meant(self, missing: str) -> str:
        self._slips += 1
        if self._slips > COUNTED_SLIPS:
            return "Add it or mend the name."
        if self._near is None:
            self._near = NearIds(self.items)
        near = self._near.to(missing)
        return f"Did you mean {near}?" if near else "Add it or mend the name."

    def _revision(self, item: Item, one: Reference, target: Item, stamped: bool) -> None:
        if not stamped:
            return
        if one.stated is None or target.revision is None:
            self.not_judged["links that state no revision, or lead to an item without one"] += 1
            return
        if one.stated == target.revision:
            return
        if one.stated.isdecimal() and target.revision.isdecimal():
            what = (
                f"{item.uid} was made for revision {one.stated} of {one.target}, which has "
                f"revision {target.revision}."
            )
        else:
            what = f"{one.target} changed since {item.uid} was linked to it: its stamp differs."
        mend = f"Read {one.target} and state its revision anew."
        self.tell(OUTDATED, item, one.place, what, mend)

    def level(self, item: Item) -> str | None:
        """Return the level that an item is of: its document, or its kind."""
        if item.document in self.above:
            return item.document
        return item.kind if item.kind in self.above else None

    def _edge(self, edge: _Edge, stated_by: Item) -> None:
        below, above = self.level(self.items[edge.below]), self.level(self.items[edge.above])
        if below is None or above is None or above in {below, *self.over[below]}:
            self.edges.append(edge)
            return
        where = "below" if below in self.over[above] else "beside"
        what = (
            f"{edge.below} of {below} stands under {edge.above} of {above} here, but "
            f"{above} is {where} {below}."
        )
        mend = "Turn the link round." if where == "below" else "Link to a level above."
        self.tell(WRONG_WAY, stated_by, edge.place, what, mend)

    def _circles(self) -> None:
        up: dict[str, list[str]] = defaultdict(list)
        places: dict[tuple[str, str], Place] = {}
        for edge in self.edges:
            if (edge.below, edge.above) not in places:
                places[edge.below, edge.above] = edge.place
                up[edge.below].append(edge.above)
        for knot in knots(up):
            way = way_round(up, knot)
            shown = " -> ".join(way[:SHOWN]) + (" -> ..." if len(way) > SHOWN else f" -> {way[0]}")
            more = len(knot) - len(way)
            what = f"{shown} leads in a circle of {len(way)}"
            what += f", and {more} more items hang in it." if more else "."
            following = way[1] if len(way) > 1 else way[0]
            place = places[way[0], following]
            self.tell(CYCLE, self.items[way[0]], place, what, "Take one of the links out.")

    def _ends(self, tried: set[str]) -> None:
        """Find what stands under nothing and what nothing covers."""
        covering: dict[str, set[str]] = defaultdict(set)
        for edge in self.edges:
            level = self.level(self.items[edge.below])
            covering[edge.above].add(level or "")
        # Whoever is told of from above stands under it, whether or not it says so itself.
        tried |= {edge.below for edge in self.edges}
        linked = {self.items[uid].kind for uid in (*tried, *covering)}
        present = {self.level(item) for item in self.items.values()}
        if not self.above:
            self.not_judged["items whose coverage needs levels, which are not stated"] += sum(
                item.kind in linked for item in self.items.values()
            )
        for item in self.items.values():
            if not _takes_part(item):
                continue
            level = self.level(item)
            if level is None:
                self._alone(item, linked, tried, covering)
                continue
            if (
                self.above[level]
                and item.uid not in tried
                and item.fields.get("derived") is not True
            ):
                what = f"{item.uid} of {level} stands under nothing of {_any(self.above[level])}."
                self.tell(ORPHAN, item, item.place, what, "Link it, or take it out.")
            self._covered(item, level, covering.get(item.uid, set()), present)

    def _alone(
        self, item: Item, linked: set[str], tried: set[str], covering: Mapping[str, set[str]]
    ) -> None:
        # Only a kind that takes part in links elsewhere is expected to: a heading is not.
        joined = item.uid in tried or item.uid in covering
        if item.kind in linked and not self.above and not joined:
            what = f"{item.uid} leads nowhere, and nothing leads to it."
            self.tell(ORPHAN, item, item.place, what, "Link it, or take it out.")

    def _covered(self, item: Item, level: str, by: set[str], present: set[str | None]) -> None:
        stated = item.fields.get("Needs")
        if isinstance(stated, tuple):
            for kind in stated:
                if kind not in present:
                    self.not_judged[f"items that need '{kind}', of which none was read"] += 1
            missing = [kind for kind in stated if kind in present and kind not in by]
            if missing:
                what = f"{item.uid} needs {', '.join(missing)}, and none covers it."
                self.tell(UNCOVERED, item, item.place, what, f"Cover it by {_any(missing)}.")
            return
        below = [one for one, over in self.above.items() if level in over and one in present]
        if below and not by & set(below):
            what = f"{item.uid} of {level} is covered by nothing of {_any(below)}."
            self.tell(UNCOVERED, item, item.place, what, "Link what covers it to it.")


def _takes_part(item: Item) -> bool:
    return item.kind not in _NO_PART and item.fields.get("active") is not False


def _any(levels: Iterable[str]) -> str:
    return " or ".join(sorted(levels))


def _closure(level: str, above: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return every level over one, over any number of steps."""
    found: set[str] = set()
    waiting = list(above[level])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += above.get(one, ())
    return frozenset(found)


def all_findings(corpus: Corpus, checked: LinkCheck) -> Iterator[Finding]:
    """Go through what the reader could not take and what is wrong with the links, by place."""
    both = (*corpus.findings, *checked.findings)
    yield from sorted(both, key=lambda one: (one.place.file, one.place.line or 0, one.code))
