"""The printed pages of a pack: what each table shows, row by row, and the HTML made of it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core.markdown import to_html
from core.signing.keys import print_fingerprint
from validation.pack import wording
from validation.pack.contents import NOTHING, PackContents, RecordEntry, RiskEstimate, RiskPolicy
from validation.pack.evidence import AttachmentRef, Run, Scenario

TEMPLATES = Path(__file__).parents[2] / "templates"

_IMAGE = re.compile(r"<img\b[^>]*>")
_ALTERNATIVE = re.compile(r'\balt="([^"]+)"')


@dataclass(frozen=True)
class RecordBlock:
    """One record in full, as it is printed."""

    entry: RecordEntry
    anchor: str
    title: str
    body: Markup
    fields: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MatrixRow:
    """One probability of the risk matrix: (level, shade, how many risks) per severity."""

    probability: str
    cells: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class EvidenceRow:
    """One file of evidence, and the run and test that left it."""

    file: AttachmentRef
    run: str
    test: str
    at: str


def pack_html(contents: PackContents, statement: str, fingerprints: Iterable[str]) -> str:
    """Return the pack as one HTML document.

    Parameters
    ----------
    contents : PackContents
        What is shown.
    statement : str
        SHA-256 of the pack's statement, printed at the foot of every page.
    fingerprints : iterable of str
        The keys that sign the pack.
    """
    own = contents.cover.project
    in_pack = {(entry.project, entry.uid) for entry in contents.records}
    blocks = [_record_block(entry, in_pack) for entry in _by_project(contents.records, own)]
    environment = _environment()
    environment.filters["scales"] = lambda estimate: _scales(contents.risk_policy, estimate)
    return environment.get_template("pdf/pack.html").render(
        contents=contents,
        cover=contents.cover,
        statement=statement,
        fingerprints=[print_fingerprint(item) for item in fingerprints],
        summary=check_summary(contents),
        tests=test_summary(contents),
        records=blocks,
        anchors={uid: f"{own}.{uid}" for project, uid in in_pack if project == own},
        before=risk_matrix(contents.risk_policy, [risk.before for risk in contents.risks]),
        after=risk_matrix(contents.risk_policy, [risk.after for risk in contents.risks]),
        evidence=evidence_rows(contents.runs),
        unsuccessful=[run for run in contents.runs if run.state != "passed"],
    )  # fmt: skip


def stylesheets(demonstration: bool) -> list[str]:
    """Return the text of the pack's style sheets."""
    names = ["base.css", "pack.css"] + (["demonstration.css"] if demonstration else [])
    return [(TEMPLATES / "pdf" / name).read_text(encoding="utf-8") for name in names]


def check_summary(contents: PackContents) -> dict[str, int]:
    """Count the rules of the release check by outcome."""
    outcomes = Counter(rule.outcome for rule in contents.check.rules)
    names = ("passed", "passed by concession", "warned", "failed", NOTHING)
    return {
        **{name: outcomes[name] for name in names},
        "all": sum(rule.outcome != NOTHING for rule in contents.check.rules),
        "waivers": sum(len(rule.waivers) for rule in contents.check.rules),
    }


def test_summary(contents: PackContents) -> dict[str, int]:
    """Count the tests by what the last run of each protocol says; reruns replace, failures stay.

    A test that was executed several times counts by its last execution.
    """
    last: dict[str, str] = {}
    for run in sorted(contents.runs, key=lambda run: run.started_at):
        # A numerical comparison executes no test of the record.
        last.update({one.test: one.state for one in run.scenarios if one.test})
    states = Counter(last.values())
    not_run = {item.uid for item in contents.not_run} | {
        test for test, state in last.items() if state == "not run"
    }
    return {"passed": states["passed"], "failed": states["failed"], "not_run": len(not_run)}


def risk_matrix(policy: RiskPolicy, estimates: Iterable[RiskEstimate]) -> list[MatrixRow]:
    """Return the matrix with its risks counted, the most probable row first."""
    counts = Counter((item.severity, item.probability) for item in estimates)
    shades = {level: number for number, level in enumerate(policy.order)}
    return [
        MatrixRow(
            name,
            tuple(
                (row[number - 1], shades.get(row[number - 1], 0), counts[severity, number])
                for severity, row in enumerate(policy.levels, start=1)
            ),
        )
        for number, name in reversed(list(enumerate(policy.probabilities, start=1)))
    ]


def _scales(policy: RiskPolicy, estimate: RiskEstimate) -> str:
    severity = policy.severities[estimate.severity - 1]
    return f"{severity}, {policy.probabilities[estimate.probability - 1].lower()}"


def evidence_rows(runs: Iterable[Run]) -> list[EvidenceRow]:
    """Return every file of evidence once, with the first test that left it."""
    rows: dict[str, EvidenceRow] = {}
    for run, scenario, file, at in _files(runs):
        row = EvidenceRow(file, run.number, scenario.test, wording.when(at))
        rows.setdefault(file.sha256, row)
    return sorted(rows.values(), key=lambda row: (row.file.name, row.file.sha256))


def _files(
    runs: Iterable[Run],
) -> Iterator[tuple[Run, Scenario, AttachmentRef, datetime | None]]:
    for run in runs:
        for scenario in run.scenarios:
            for step in scenario.steps:
                for file in step.attachments:
                    yield run, scenario, file, step.started_at
            for file in scenario.files:
                yield run, scenario, file, scenario.started_at


def _by_project(records: Iterable[RecordEntry], own: str) -> list[RecordEntry]:
    """Order records by type and number as people count, those of the product first."""
    return sorted(
        records,
        key=lambda entry: (entry.project != own, entry.project, entry.label, _natural(entry)),
    )


def _natural(entry: RecordEntry) -> tuple[tuple[int, int, str], ...]:
    parts = re.findall(r"\d+|\D+", entry.uid)
    return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts)


def _record_block(entry: RecordEntry, in_pack: set[tuple[str, str]]) -> RecordBlock:
    def address(uid: str) -> str | None:
        return f"#{entry.project}.{uid}" if (entry.project, uid) in in_pack else None

    content = entry.content
    return RecordBlock(
        entry=entry,
        anchor=f"{entry.project}.{entry.uid}",
        title=str(content.get("title", "")),
        body=_printable(to_html(str(content.get("body") or ""), address)),
        fields=tuple(
            (wording.label(name), wording.number(value))
            for name, value in sorted(content.get("fields", {}).items())
            if value not in (None, "", [], {})
        ),
        links=tuple(_link(link) for link in content.get("links", ())),
    )


def _link(link: Mapping[str, Any]) -> tuple[str, str]:
    attributes = wording.number(link.get("attributes") or {})
    target = str(link.get("target", ""))
    return wording.label(
        str(link.get("role", ""))
    ), f"{target} ({attributes})" if attributes else target


def _printable(body: Markup) -> Markup:
    """Put words in place of pictures: paper shows the text, the picture stays with the record."""
    return Markup(_IMAGE.sub(_in_words, body))  # noqa: S704 (clean already, and stays escaped)


def _in_words(image: re.Match[str]) -> str:
    words = _ALTERNATIVE.search(image[0])
    return f"[picture: {words[1] if words else 'without words'}]"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["digest"] = wording.is_digest
    environment.filters.update(
        when=wording.when,
        clock=wording.clock,
        number=wording.number,
        expectation=wording.expectation,
        size=wording.size,
        short=wording.short,
        counted=wording.counted,
    )
    return environment
