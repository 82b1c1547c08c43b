"""Which findings stop an import, and which a person may accept: nothing is left out in silence.

What only asks for attention (an orphan, a stale stamp) is told and stops nothing, since the record
says all that the file says. What cannot be kept as it was meant stops the import until somebody
names the code, which the reason of the import then states. A file that was not read at all, and an
id that two items have, nobody can accept.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from core.errors import Fault, Invalid
from qms.interchange.corpus import Finding
from qms.interchange.linkcheck import DANGLING, LINKS, SELF, TWICE
from qms.interchange.readers.codes import (
    ARCHIVE,
    ENTITIES,
    NO_ID,
    NO_TEXT,
    NO_VALUE,
    NOT_READ,
    OUTSIDE,
    PLACED,
    READING,
    SHAPE,
    TOO_MUCH,
    UNREADABLE,
)

NO_STEP = "TR334"
"""A value that means the step of a risk, and is none of the scale in force."""

ACCEPTABLE = frozenset(
    {UNREADABLE, NO_ID, SHAPE, PLACED, NO_VALUE, NOT_READ, DANGLING, SELF, NO_STEP}
)
"""Something is lost or kept as a mere note: a person says that this is as it should be."""

STOPPING = ACCEPTABLE | {TOO_MUCH, NO_TEXT, OUTSIDE, ENTITIES, ARCHIVE, TWICE}


def stopping_faults(findings: Iterable[Finding], accepted: Collection[str]) -> list[Fault]:
    """Return what stands in the way of an import, each with what lets it through."""
    return [
        Fault(one.code, str(one.place), one.what, _mend(one))
        for one in findings
        if one.code in STOPPING and not (one.code in ACCEPTABLE and one.code in accepted)
    ]


def _mend(one: Finding) -> str:
    if one.code not in ACCEPTABLE:
        return one.mend
    return f"{one.mend} Or accept it: --accept {one.code}.".strip()


def known_codes(codes: Sequence[str]) -> tuple[str, ...]:
    """Return codes that may be accepted.

    Raises
    ------
    Invalid
        With every code that there is not or that nobody can accept.
    """
    titles = {**READING, **LINKS}
    faults = [
        Fault("TR009", one[:20], _why(one, titles), f"Those are {', '.join(sorted(ACCEPTABLE))}.")
        for one in codes
        if one not in ACCEPTABLE
    ]
    if faults:
        raise Invalid("These findings cannot be accepted.", faults)
    return tuple(sorted(set(codes)))


def _why(code: str, titles: Mapping[str, str]) -> str:
    if code not in titles:
        return "is no code of a finding."
    if code in STOPPING:
        return f"({titles[code]}) can only be mended."
    return f"({titles[code]}) stops no import."


def told_acceptance(findings: Iterable[Finding], accepted: Collection[str]) -> str:
    """Return in words what was accepted, for the reason of the import; empty where nothing was."""
    counts = Counter(one.code for one in findings if one.code in accepted)
    told = ", ".join(f"{count} of {code}" for code, count in sorted(counts.items()))
    return f" Accepted: {told}." if told else ""
