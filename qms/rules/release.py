"""Family F, second part: the release names what it is, stands on approval, and is signed."""

from collections.abc import Iterator

from core.records.snapshot import RecordView
from qms.rules.findings import Flaw
from qms.rules.view import THE_RELEASE, Subjects, View, filled, is_in_force, missing, rule, text

_CONTENT = Subjects(
    "documents and tests of the release",
    lambda view: [*view.of_release("includes_documents"), *view.of_release("tested_by")],
)
_COMMIT_DIGITS = (40, 64)

SIGNING_CODES = frozenset({"F09", "F10"})
"""Rules that can only pass once the release is signed."""

MEANING_OF_ROLE = {
    "author": "authored",
    "technical_reviewer": "reviewed",
    "clinical_safety_officer": "approved",
    "quality_manager": "released",
}
"""In which meaning each role signs a release (records.md: author, technical, CSO, QM)."""


@rule(
    "F06",
    "Release has version, tag, commit, baseline, build recipe, digest and SBOM",
    THE_RELEASE,
)
def release_is_identified(view: View, record: RecordView) -> Iterator[Flaw]:
    """Anybody can find again what was released, and the tag still names that commit."""
    lacking = missing(
        record,
        {
            "version": "a version",
            "git_tag": "a Git tag",
            "commit": "a commit",
            "baseline": "a baseline",
            "build_command": "a build command",
            "build_digest": "a digest of what was built",
            "sbom": "a bill of materials",
        },
    )
    if lacking:
        yield Flaw(
            f"has not {', '.join(lacking)}.",
            "Freeze the baseline, or fill it in.",
            step="a baseline" in lacking,
        )
    commit = text(record, "commit")
    if commit and (len(commit) not in _COMMIT_DIGITS or set(commit) - set("0123456789abcdef")):
        yield Flaw(f"names the commit {commit!r}, which is not a full one.", "Give all digits.")
        return
    tagged = view.facts.tagged
    if tagged.commit is None:
        yield Flaw(f"has a tag that cannot be checked: {tagged.problem}.", "Scan the repository.")
    elif commit and tagged.commit != commit:
        yield Flaw(
            f"names commit {commit[:7]}, its tag {text(record, 'git_tag')} names "
            f"{tagged.commit[:7]}.",
            "Freeze the baseline again and repeat the validation.",
            step=True,
        )
    yield from _baseline_flaws(view, record)


def _baseline_flaws(view: View, record: RecordView) -> Iterator[Flaw]:
    """Yield what keeps the frozen baseline from being what is signed."""
    named, baseline = text(record, "baseline"), view.facts.baseline
    if not named:
        return
    if baseline is None or baseline.root != named:
        what = f"names the baseline {named[:12]}, which does not exist."
        yield Flaw(what, "Freeze it again.", step=True)
    elif not baseline.intact:
        yield Flaw(
            f"names the baseline {named[:12]}, whose lines were changed.",
            "Run 'fiducial audit verify'.",
        )
    elif baseline.changed:
        told = ", ".join(key.uid for key in baseline.changed[:5])
        more = "" if len(baseline.changed) <= 5 else f" and {len(baseline.changed) - 5} more"
        yield Flaw(
            f"was frozen before {told}{more} changed.", "Freeze the baseline again.", step=True
        )


@rule("F07", "All documents and protocols in the release are approved", _CONTENT)
def content_is_approved(_: View, record: RecordView) -> Iterator[Flaw]:
    """Nothing goes out on a draft."""
    if not is_in_force(record):
        yield Flaw(f"is in the release and {record.state}.", "Have it approved.")


@rule("F08", "Archive place and retention period are set", THE_RELEASE)
def release_is_archived(view: View, record: RecordView) -> Iterator[Flaw]:
    """Where it is kept, and long enough."""
    least = int(view.limits["retention_years"])
    if not filled(record, "archive_location"):
        yield Flaw("does not say where it is archived.", "Name the archive.")
    years = record.fields.get("retention_years")
    if type(years) is not int or years < least:
        yield Flaw(f"is kept for {years or 'no'} years; at least {least} are asked.", "Correct it.")


@rule("F09", "Release carries every required signature", THE_RELEASE)
def release_is_signed(view: View, record: RecordView) -> Iterator[Flaw]:
    """Each role the release asks for signed this very revision, which names its commit."""
    required = [str(role) for role in record.fields.get("required_signatures") or ()]
    if not required:
        yield Flaw("does not say who must sign it.", "List the required signatures.")
    given = {
        (signature.role, signature.meaning)
        for signature in record.signatures
        if signature.envelope_digest == record.envelope_digest
    }
    facts = view.types_of(record)
    draft = record.state == "draft"
    mend = "Have its author submit it, then sign it." if draft else "Sign it."
    for role in required:
        meaning = MEANING_OF_ROLE.get(role, "")
        signed = (role, meaning) in given if meaning else any(r == role for r, _ in given)
        if not signed:
            as_ = f" as {meaning}" if meaning else ""
            yield Flaw(f"is not signed by the {role.replace('_', ' ')}{as_}.", mend, step=True)
    for meaning in sorted(set(facts.sign if facts else ()) - {m for _, m in given}):
        if meaning not in {MEANING_OF_ROLE.get(role) for role in required}:
            yield Flaw(f"is not signed as {meaning}.", mend, step=True)


@rule("F10", "Release signatures are later than the last run", THE_RELEASE)
def signatures_come_last(view: View, record: RecordView) -> Iterator[Flaw]:
    """Who signed had seen every result."""
    ended = [
        run.ended_at or run.started_at
        for runs in view.runs.values()
        for run in runs
        if run.commit == view.release_commit
    ]
    for signature in record.signatures:
        if ended and signature.at < max(ended):
            yield Flaw(
                f"was signed by {signature.name} before the last run had ended.",
                "Have a new revision signed.",
            )
