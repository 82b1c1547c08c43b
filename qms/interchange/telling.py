"""What a check of the files of another tool came to, in the one shape that every way in tells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from qms.interchange.corpus import Corpus, Finding
from qms.interchange.linkcheck import LINKS, LinkCheck, all_findings, check_links
from qms.interchange.readers.codes import READING

TITLES: Mapping[str, str] = {**READING, **LINKS}
"""Every code of a check, with what it means."""


@dataclass(frozen=True)
class Told:
    """A corpus that was checked.

    Attributes
    ----------
    findings : tuple of Finding
        Of its reader and of its links, by place.
    left_out, not_judged : mapping
        What was not taken, and what could not be said, each with how often.
    """

    format: str
    items: int
    links: int
    findings: tuple[Finding, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    not_judged: Mapping[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How often each code was found, by code; those of no finding are left out."""
        return counted(self.findings)

    def as_plain(self) -> dict[str, Any]:
        """Return it as plain values: what the command prints, the job keeps and programs read."""
        return {
            "format": self.format,
            "items": self.items,
            "links": self.links,
            "counts": self.counts,
            "findings": [asdict(one) for one in self.findings],
            "left_out": dict(self.left_out),
            "not_judged": dict(self.not_judged),
        }


def told(corpus: Corpus, levels: Sequence[str] = ()) -> Told:
    """Check a corpus and return all that is to be told of it."""
    checked: LinkCheck = check_links(corpus, levels)
    return Told(
        corpus.format,
        len(corpus.items),
        checked.links,
        tuple(all_findings(corpus, checked)),
        dict(corpus.left_out),
        dict(checked.not_judged),
    )


def counted(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how often each code was found, by code."""
    counts: dict[str, int] = {}
    for code in sorted(one.code for one in findings):
        counts[code] = counts.get(code, 0) + 1
    return counts
