"""What the rules of a release check say of a folder of records, without any installation.

Git keeps what a record says and not who signed it, what was run or what was reviewed. So every
record of the folder is judged as if it were in force, and what only acts can answer is not asked.
"""

from datetime import date

from core.errors import Invalid
from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from core.records.types import TypeRegistry
from core.records.writing import fingerprint
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.record_file import RecordFile
from qms.rules.check import RELEASE, check
from qms.rules.facts import Facts, RuleInput
from qms.rules.findings import CheckResult, Pack
from qms.rules.packs import type_facts

_SIGNED = "signatures are given in an installation"
_RUN = "runs are recorded in an installation"
_LOWERED = "a residual risk is lowered by controls that a recorded run verified"
_DAYS = "it turns on the day, and the same files are to give the same answer"
_PEOPLE = "people and their roles are those of an installation"

NOT_OF_FILES = {
    "A06": _SIGNED,
    "A13": _DAYS,
    "A14": "the audit trail is that of an installation",
    "A15": "numbers are given in an installation, and a file that is gone leaves no trace",
    "B17": _DAYS,
    "C03": _DAYS,
    "D07": _RUN,
    "D08": _RUN,
    "D09": _LOWERED,
    "D10": _LOWERED,
    "D15": "a file does not say when a record came into force",
    "D16": _SIGNED,
    "D17": _PEOPLE,
    "E20": _PEOPLE,
    "G01": "the department map is that of an installation",
}
"""The rules that are not asked of files, each with why."""


def judge_folder(
    found: RecordFolder,
    project: str,
    registry: TypeRegistry,
    pack: Pack,
    today: date,
    gate: str = RELEASE,
) -> CheckResult:
    """Return what every rule that files can answer says of the records of one project.

    Parameters
    ----------
    found : RecordFolder
        Records whose types are known; those of other projects are what links may lead to.
    project : str
        Key of the project that is judged.
    """
    known = [one for one in found.records if one.type in registry]
    types = {one.key for one in known}
    links = [
        LinkView(link.role, one.key, target, dict(link.attributes))
        for one in known
        for link in one.content.links
        if (target := Key(link.project or one.project, link.target)) in types
    ]
    given = RuleInput(
        snapshot=Snapshot([_in_force(one, registry) for one in known], links),
        verdicts={},
        suspects=(),
        facts=Facts(today=today, types=type_facts(registry)),
        project=project,
    )
    return check(given, pack, gate, NOT_OF_FILES)


def only_project(found: RecordFolder, name: str) -> str:
    """Return the key of the project whose records a folder holds.

    Raises
    ------
    Invalid
        If there is none, or more than one: a rule judges one project.
    """
    projects = sorted({one.project for one in found.records})
    if not projects:
        raise Invalid(f"{name} holds no record; nothing was checked.", found.faults)
    if len(projects) > 1:
        told = ", ".join(one or "no project" for one in projects)
        raise Invalid(f"{name} holds records of {told}; check the folder of one project.")
    return projects[0]


def automated_tests(found: RecordFolder) -> list[tuple[str, str]]:
    """Return each test that a machine executes, with where its record says so."""
    return [
        (one.uid, one.where("fields", "method"))
        for one in found.records
        if one.type == "test" and one.content.fields.get("method") == "automated"
    ]


def _in_force(one: RecordFile, registry: TypeRegistry) -> RecordView:
    return RecordView(
        key=one.key,
        type=one.type,
        title=one.content.title,
        body=one.content.body,
        fields=one.content.fields,
        state="approved",
        revision=one.revision,
        content_digest=one.content_digest,
        fingerprint=fingerprint(registry.of(one.type), one.content),
        in_force=True,
    )
