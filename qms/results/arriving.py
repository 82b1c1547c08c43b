"""What is sent to be imported, read whole before anything of it is kept: reports and their files.

Every fault of every file is told at once. A path that a report names is a name and nothing else:
nothing is ever opened by it that was not sent along.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import Fault, Invalid
from qms.interchange.corpus import Attached, Finding, Place
from qms.results.cases import MOST_LETTERS, MOST_NAMINGS, Case, Outcome, Report
from qms.results.reading import read_results

MOST_FILES = 500
LARGEST_ATTACHMENT = 20_000_000
MOST_BYTES = 200_000_000
"""Of everything sent at once."""

_UNSEEN = r"\x00-\x1f\x7f\ud800-\udfff"
"""What no name of a file may hold: it could not be shown, and halves of characters not be kept."""

_NAME = re.compile(rf"[^{_UNSEEN}/\\]{{1,200}}")


@dataclass(frozen=True)
class Sent:
    """A file as it was sent."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Arrived:
    """Reports that could be read, each with its own bytes, and the files that belong to cases.

    Attributes
    ----------
    attached : mapping
        The files that were sent along, by the path that cases know them by.
    findings : tuple of Finding
        What is odd and keeps nothing from being imported.
    """

    reports: tuple[tuple[Report, bytes], ...]
    attached: Mapping[str, Attached]
    findings: tuple[Finding, ...]

    def counts(self) -> dict[Outcome, int]:
        """Return how many cases came out each way, every outcome named."""
        each = [report.counts() for report, _ in self.reports]
        return {one: sum(counts[one] for counts in each) for one in Outcome}

    def files_of(self, case: Case) -> tuple[Attached, ...]:
        """Return the files that belong to a case and are at hand."""
        sent = (self.attached[path] for path in case.files if path in self.attached)
        return (*sent, *case.attached)


def wanted_files(reports: Iterable[Report]) -> tuple[str, ...]:
    """Return the paths that cases name, without those that climb out of their folder."""
    paths = (path for report in reports for case in report.cases for path in case.files)
    return tuple(dict.fromkeys(path for path in paths if not climbs(path)))


def climbs(path: str) -> bool:
    r"""Whether a path leads out of the folder of its report.

    Examples
    --------
    >>> climbs("out/dvh.png"), climbs("../../etc/passwd"), climbs("C:\\secret.txt")
    (False, True, True)
    """
    parts = path.replace("\\", "/").split("/")
    return path.startswith(("/", "\\", "~")) or ".." in parts or ":" in parts[0] or "\x00" in path


def read_all(sent: Sequence[Sent]) -> tuple[tuple[Report, bytes], ...]:
    """Read every report.

    Raises
    ------
    Invalid
        With every fault of every file; a file whose name is a path is one of them.
    """
    faults: list[Fault] = []
    if not sent:
        faults.append(Fault("TR600", "results", "No file was sent.", "Name the reports."))
    _refuse_too_much(sent)
    names: set[str] = set()
    read: list[tuple[Report, bytes]] = []
    namings = letters = 0
    for one in sent:
        faults += _faults_of_name(one.name, names)
        names.add(one.name)
        try:
            report = read_results(one.content, shown(one.name))
        except Invalid as refusal:
            faults += refusal.faults
            continue
        read.append((report, one.content))
        namings += sum(case.namings for case in report.cases)
        letters += sum(case.letters for case in report.cases)
        if namings > MOST_NAMINGS or letters > MOST_LETTERS:
            what = (
                f"name records and files more than {MOST_NAMINGS} times in all, or have names of "
                f"more than {MOST_LETTERS} characters; those after {shown(one.name)} were not read."
            )
            faults.append(Fault("TR602", "the reports", what, "Send fewer at once."))
            break
    if faults:
        raise Invalid("Nothing was imported.", faults)
    return tuple(read)


def _refuse_too_much(sent: Sequence[Sent]) -> None:
    if len(sent) > MOST_FILES or sum(len(one.content) for one in sent) > MOST_BYTES:
        what = f"are more than {MOST_FILES} files or {MOST_BYTES} bytes."
        raise Invalid("Nothing was imported.", [Fault("TR601", "the files", what, "Send fewer.")])


def _refuse_twins(files: Sequence[Sent]) -> None:
    many = Counter(one.name for one in files)
    faults = [
        Fault("TR614", shown(name), "is the name of several files.", "Send each by its own name.")
        for name, count in many.items()
        if count > 1
    ]
    if faults:
        raise Invalid("Nothing was imported.", faults)


def _last(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def shown(name: str) -> str:
    """Return a name as it may stand in a sentence."""
    return re.sub(f"[{_UNSEEN}]", "?", name)[:200]


_NO_NAME = "is a path, not the name of a file, or holds characters that cannot be shown."


def _faults_of_name(name: str, known: set[str]) -> Iterable[Fault]:
    if not _NAME.fullmatch(name) or name in (".", ".."):
        yield Fault("TR611", shown(name), _NO_NAME, "Send it by a plain name.")
    elif name in known:
        yield Fault("TR614", name, "was sent twice.", "Give each report its own name.")


def with_files(reports: Sequence[tuple[Report, bytes]], files: Sequence[Sent] = ()) -> Arrived:
    """Return reports with the files that were sent along, and what is odd about either.

    Parameters
    ----------
    files : sequence of Sent
        Each belongs to the cases that name its path, or the only path that ends in its name.

    Raises
    ------
    Invalid
        If they are too many or too large together, or two have one name.
    """
    _refuse_too_much(files)
    _refuse_twins(files)
    ends = Counter(_last(path) for path in wanted_files(report for report, _ in reports))
    findings = [one for report, _ in reports for one in report.findings]
    given = {one.name: one for one in files}
    attached: dict[str, Attached] = {}
    for report, _ in reports:
        for case in report.cases:
            for path in case.files:
                if path not in attached:
                    findings += _take(path, case, given, ends, attached)
    used = {one.name for one in attached.values()}
    findings += [
        Finding(
            "TR609",
            f"No case names the file {shown(name)}; it is not kept.",
            Place(reports[0][0].file) if reports else Place(shown(name)),
        )
        for name in given
        if name not in used
    ]
    return Arrived(tuple(reports), attached, tuple(dict.fromkeys(findings)))


def _take(
    path: str,
    case: Case,
    given: Mapping[str, Sent],
    ends: Mapping[str, int],
    attached: dict[str, Attached],
) -> Iterable[Finding]:
    if climbs(path):
        what = f"{shown(case.label)} names the file {shown(path)}, which lies outside its folder."
        return [Finding("TR611", what, case.place, mend="It is not looked at.")]
    found = given.get(path)
    if found is None and _last(path) in given:
        if ends[_last(path)] > 1:
            what = f"{shown(_last(path))} may be the file {shown(path)} or another; it is not kept."
            mend = "Give each file a name of its own, or send them with the command and --files."
            return [Finding("TR609", what, case.place, mend=mend)]
        found = given[_last(path)]
    if found is None:
        what = f"{shown(case.label)} names the file {shown(path)}, which was not sent."
        return [Finding("TR609", what, case.place, mend="Send it along.")]
    if len(found.content) > LARGEST_ATTACHMENT:
        what = f"The file {shown(path)} is larger than {LARGEST_ATTACHMENT} bytes; it is not kept."
        return [Finding("TR609", what, case.place)]
    digest = hashlib.sha256(found.content).hexdigest()
    attached[path] = Attached(found.name, digest, found.content)
    return []
