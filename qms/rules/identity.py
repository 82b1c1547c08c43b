"""Family A: records, links and signatures are what they claim to be."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from core.records.lifecycle import is_decided
from core.records.snapshot import Key, RecordView
from qms.rules.findings import Flaw
from qms.rules.view import JUDGED, THE_DEVICE, Subjects, View, day, filled, in_force, rule

MOST_KEPT = 50_000
"""Uids that are kept as they are read; each is read twice in every check."""

_NUMBER = re.compile(r"\d+")
_NUMBERED = re.compile(r"(?P<prefix>[A-Z]+-)(?P<number>\d{2,6})")

_APPROVED = Subjects(
    "approved records and decided issues that need signatures",
    lambda view: [
        record
        for record in view.own
        if (facts := view.types_of(record))
        and facts.sign
        and (record.state == "approved" or is_decided(facts.lifecycle, record.state))
    ],
)
_SIGNED = Subjects(
    "records that carry signatures",
    lambda view: [record for record in view.own if record.signatures and not record.withdrawn],
)
_ALL = Subjects("records of the project", lambda view: view.own)
_ACYCLIC_ROLES = ("part_of", "derives_from", "split_from")


@lru_cache(maxsize=MOST_KEPT)
def _folded(uid: str) -> str:
    """Return a uid as a hurried reader takes it: no case, no leading zeros."""
    return _NUMBER.sub(lambda digits: digits.group().lstrip("0") or "0", uid.casefold())


@rule("A01", "Every identifier is unique", _ALL)
def identifiers_are_unique(view: View, record: RecordView) -> Iterator[Flaw]:
    """Two ids that differ only in case or leading zeros are read as one by people."""
    read_as = view.once("read as", lambda: _read_as(view))
    twins = [uid for uid in read_as[_folded(record.key.uid)] if uid != record.key.uid]
    if twins:
        yield Flaw(f"reads the same as {', '.join(twins)}.", "Withdraw one of them.")


def _read_as(view: View) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for record in view.own:
        groups[_folded(record.key.uid)].append(record.key.uid)
    return groups


@rule("A14", "Audit trail chain verifies", THE_DEVICE)
def audit_trail_was_verified(view: View, _: RecordView) -> Iterator[Flaw]:
    """By a verification that is recorded in the trail, not long ago."""
    audit, most = view.facts.audit, int(view.limits["audit_verification_days"])
    mend = "Verify it (`fiducial audit verify --record`); the worker does so every night."
    if audit is None:
        yield Flaw("stands in an audit trail of which no verification is recorded.", mend)
    elif audit.findings:
        yield Flaw(
            f"stands in an audit trail in which {audit.findings} things did not fit on {audit.on}.",
            "Look at the audit trail; nothing in it is mended by hand.",
        )
    elif (age := (view.facts.today - audit.on).days) > most:
        yield Flaw(
            f"stands in an audit trail that was last verified on {audit.on}, {age} days ago; the "
            f"limit is {most}.",
            mend,
        )


@rule("A15", "Numbers are never reused or lost", _ALL)
def numbers_have_no_gap(view: View, record: RecordView) -> Iterator[Flaw]:
    """Every number below one that was given stands on a record, if only a withdrawn one."""
    gaps = view.once("gaps", lambda: _gaps(view))
    lost = gaps.get(record.key.uid)
    if lost:
        yield Flaw(
            f"follows {lost}, which no record carries.",
            "Record what became of the number: a record with that uid, withdrawn with the reason.",
        )


def _gaps(view: View) -> dict[str, str]:
    """Return, by the uid after each gap, the numbers that are lost before it."""
    series: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for record in view.own:
        found = _NUMBERED.fullmatch(record.key.uid)
        if found:
            series[found["prefix"]].append((int(found["number"]), record.key.uid))
    gaps = {}
    for prefix, numbers in series.items():
        numbers.sort()
        for (before, _), (after, uid) in pairwise(numbers):
            first = before + 1
            if after > first:
                width = len(uid) - len(prefix)
                last = "" if after - 1 == first else f" to {prefix}{after - 1:0{width}}"
                gaps[uid] = f"{prefix}{first:0{width}}{last}"
    return gaps


@rule("A02", "Fields required for the record type are filled", JUDGED)
def required_fields_are_filled(view: View, record: RecordView) -> Iterator[Flaw]:
    """What the type asks for is there."""
    facts = view.types_of(record)
    if facts is None:
        yield Flaw(f"has the unknown type {record.type}.", "Install its type file.")
        return
    asked = facts.asked.get(record.state) if facts.lifecycle == "issue" else None
    fields, roles = asked or (facts.required, facts.required_links)
    lacking = [name for name in fields if not filled(record, name)]
    lacking += [
        f"a link ({role})" for role in roles if not view.snapshot.outgoing(record.key, role)
    ]
    if facts.body_required and not record.body.strip():
        lacking.insert(0, "its text")
    if not record.title.strip():
        lacking.insert(0, "a title")
    if lacking:
        yield Flaw(f"lacks {', '.join(lacking)}.", "Propose a change and fill it in.")


@rule("A03", "Every link ends at an existing record", JUDGED)
def links_end_somewhere(view: View, record: RecordView) -> Iterator[Flaw]:
    """No link and no training matrix names a record that is not there."""
    for link, target in view.links(record):
        if target is None:
            yield Flaw(
                f"links ({link.role}) to {link.target.uid} of project {link.target.project}, "
                "which does not exist.",
                "Mend or remove the link.",
            )
    if record.type == "project":
        for row in record.fields.get("training_matrix") or ():
            for uid in row.get("documents") or ():
                if Key(record.key.project, uid) not in view.snapshot.records:
                    yield Flaw(
                        f"asks in its training matrix for {uid}, which does not exist.",
                        "Correct the training matrix.",
                    )


@rule("A04", "Link role is allowed between these record types", JUDGED)
def roles_fit_types(view: View, record: RecordView) -> Iterator[Flaw]:
    """The type of each end is one that the role joins."""
    facts = view.types_of(record)
    if facts is None:
        return
    for link, target in view.links(record):
        allowed = facts.links.get(link.role)
        if allowed is None:
            yield Flaw(f"has a link {link.role}, which its type does not know.", "Remove it.")
        elif target is not None and target.type not in allowed:
            yield Flaw(
                f"links ({link.role}) to {target.key.uid}, a {target.type}.",
                f"Link to {' or '.join(sorted(allowed))}.",
            )


@rule("A05", "No approved record links to a withdrawn or rejected one", JUDGED)
def nothing_stands_on_withdrawn(view: View, record: RecordView) -> Iterator[Flaw]:
    """A record in force does not lean on one that is no longer."""
    for link, target in view.links(record):
        if target is not None and (target.withdrawn or target.state == "rejected"):
            yield Flaw(
                f"links ({link.role}) to {target.key.uid}, which is {target.state}.",
                "Propose a change that links to what replaced it.",
            )


_BEFORE_THE_END = ("authored", "reviewed", "accepted")


@rule("A06", "Approved revision carries the signatures its type asks for", _APPROVED)
def approved_means_signed(view: View, record: RecordView) -> Iterator[Flaw]:
    """Every meaning that the type asks for is signed on this very revision."""
    facts = view.types_of(record)
    meanings = facts.sign if facts else {}
    given = {s.meaning for s in record.signatures if s.envelope_digest == record.envelope_digest}
    if facts is not None and facts.lifecycle == "issue":
        # Nobody submits an issue, so nobody signs it as authored; it is decided on. What accepted
        # it before stands on an earlier revision; F01 and F14 ask for that.
        meanings = {one: roles for one, roles in meanings.items() if one not in _BEFORE_THE_END}
    lacking = [meaning for meaning in meanings if meaning not in given]
    if lacking:
        yield Flaw(
            f"is {record.state} at revision {record.revision} without a signature as "
            f"{', '.join(lacking)}.",
            "Propose a change, submit it and have it signed.",
        )


@rule("A07", "Review and approval never come from an author of that revision", _SIGNED)
def authors_do_not_approve(_: View, record: RecordView) -> Iterator[Flaw]:
    """An author signs as authored, or as trained; nobody else signs as authored."""
    for signature in record.signatures:
        own = signature.person_uid in (record.author_uid, *record.co_authors)
        if own and signature.meaning not in ("authored", "attended"):
            yield Flaw(
                f"was {signature.meaning} by {signature.name}, who wrote it.",
                "Have it signed by somebody else on a new revision.",
            )
        elif not own and signature.meaning == "authored":
            yield Flaw(
                f"was signed as authored by {signature.name}, who did not write revision "
                f"{record.revision}.",
                "Have its author sign on a new revision.",
            )


@rule("A08", "Signer held a role that allows this meaning", _SIGNED)
def signers_held_the_role(view: View, record: RecordView) -> Iterator[Flaw]:
    """The role named in the signature is one that the type allows for its meaning."""
    facts = view.types_of(record)
    if facts is None:
        return
    for signature in record.signatures:
        allowed = facts.sign.get(signature.meaning)
        if allowed is not None and signature.role not in allowed:
            yield Flaw(
                f"was {signature.meaning} by {signature.name} as {signature.role or 'nobody'}.",
                f"Have it signed by {' or '.join(sorted(allowed))}.",
            )


@rule("A09", "Signature shows printed name, date and time with zone, and meaning", _SIGNED)
def signatures_are_complete(_: View, record: RecordView) -> Iterator[Flaw]:
    """What 21 CFR 11.50 asks to be seen is there."""
    for signature in record.signatures:
        lacking = [
            words
            for words, there in {
                "a printed name": signature.name.strip(),
                "a meaning": signature.meaning.strip(),
                "a time zone": signature.at.tzinfo is not None,
            }.items()
            if not there
        ]
        if lacking:
            yield Flaw(f"has a signature without {', '.join(lacking)}.", "Have it signed again.")


@rule("A10", "Content still equals what was signed", _SIGNED)
def content_equals_what_was_signed(view: View, record: RecordView) -> Iterator[Flaw]:
    """The digest computed now from what is stored is the one that the signatures bind."""
    now = view.facts.content_digests.get(record.key)
    if now is not None and now != record.content_digest:
        yield Flaw(
            f"no longer holds what was signed: its digest is {now[:12]}, signed was "
            f"{record.content_digest[:12]}.",
            "Run 'fiducial audit verify' and restore the record.",
        )
    for signature in record.signatures:
        if signature.envelope_digest != record.envelope_digest:
            yield Flaw(
                f"carries a signature of {signature.name} for another content.",
                f"Have revision {record.revision} signed.",
            )


@rule("A11", "Nothing needs re-review", JUDGED)
def nothing_is_suspect(view: View, record: RecordView) -> Iterator[Flaw]:
    """Every link was reviewed against the revision in force at its other end."""
    causes = view.suspicions.get(record.key)
    if not causes:
        return
    nearest = min(causes, key=lambda one: (one.distance, one.cause))
    away = "" if nearest.distance == 1 else f", {nearest.distance} links away"
    others = len({one.cause for one in causes}) - 1
    more = f"; and {others} more" if others else ""
    role = nearest.role.replace("_", " ")
    yield Flaw(
        f"needs re-review: {nearest.cause.uid} {nearest.happened} ({role}{away}){more}.",
        "Read both and record the re-review.",
    )


@rule("A12", "No cycle in parent or derivation links", JUDGED)
def nothing_is_above_itself(view: View, record: RecordView) -> Iterator[Flaw]:
    """Parents, origins and splits end somewhere; a ring is named once, at its first record."""
    ring = view.once("rings", lambda: _rings(view)).get(record.key)
    if ring:
        path = " > ".join(key.uid for key in (*ring, ring[0]))
        yield Flaw(f"is above itself: {path}.", "Remove one of these links.")


def _rings(view: View) -> dict[Key, tuple[Key, ...]]:
    """Return one ring of each knot of links, at the first record of it."""
    rings: dict[Key, tuple[Key, ...]] = {}
    for role in _ACYCLIC_ROLES:
        links = _not_ending(view, role)
        if not links:
            continue
        # Here, not above: hardly any record has such links, and loading the library takes long.
        import networkx as nx

        graph = nx.DiGraph(links)
        for knot in nx.strongly_connected_components(graph):
            first = min(knot)
            if len(knot) > 1 or graph.has_edge(first, first):
                edges = nx.find_cycle(graph.subgraph(knot), first)
                rings[first] = tuple(edge[0] for edge in edges)
    return rings


def _not_ending(view: View, role: str) -> list[tuple[Key, Key]]:
    """Return the links of a role that lie in rings or lead to one: mostly none, found in no time.

    What links nowhere ends, so does what links only to what ends; what is left does not.
    """
    goes_to = {
        record.key: [link.target for link in links]
        for record in view.own
        if (links := view.snapshot.outgoing(record.key, role))
    }
    open_ends = {key: len(targets) for key, targets in goes_to.items()}
    come_from: dict[Key, list[Key]] = defaultdict(list)
    for key, targets in goes_to.items():
        for target in targets:
            come_from[target].append(key)
    ended = [target for target in come_from if target not in goes_to]
    while ended:
        for key in come_from.pop(ended.pop(), ()):
            open_ends[key] -= 1
            if not open_ends[key]:
                ended.append(key)
    return [(key, target) for key in goes_to if open_ends[key] for target in goes_to[key]]


@rule("A13", "Controlled document is not past its review date", in_force("document", "documents"))
def documents_are_within_review(view: View, record: RecordView) -> Iterator[Flaw]:
    """A document that says when it is to be reviewed was reviewed by then."""
    due = day(record, "review_by")
    if due is not None and due < view.facts.today:
        yield Flaw(f"was due for review on {due}.", "Review it and approve a new revision.")
