"""What a folder of records proposes: to create, to change, nothing, or what somebody changed too.

Every file names the revision that it was written from. Where the record still says that, an edit
of the file is a draft above it; where the record went on, both are shown and neither is lost.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlmodel import Session

from core.errors import Conflict, Fault, Invalid
from core.ledger import hold_still
from core.people.actor import Actor
from core.records.checking import refuse_made
from core.records.importing import import_records
from core.records.models import Project
from core.records.service import edit_token, save_draft
from core.records.snapshot import Key
from core.records.types import TypeRegistry, get_registry
from core.records.writers import require_author
from core.records.writing import content_of
from qms.baselines.before_import import frozen
from qms.interchange.mapping.back import odd_part
from qms.interchange.mapping.kinds import ORIGIN
from qms.interchange.mapping.origin import origin_in
from qms.interchange.markdown.checking import link_faults, type_faults
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.record_file import RecordFile, in_project
from qms.interchange.markdown.standing import KeptSide, Proposed, Verdict

NOTHING = "Nothing was imported."


@dataclass(frozen=True)
class Proposals:
    """What a folder proposes, file by file, and what stands in its way.

    Attributes
    ----------
    absent : tuple of str
        Records of the project that the folder does not hold; they stay as they are.
    baseline : int or None
        The baseline that holds what was in force before; None until it is kept, or where nothing
        was in force.
    """

    proposed: tuple[Proposed, ...]
    faults: tuple[Fault, ...] = ()
    absent: tuple[str, ...] = ()
    baseline: int | None = None
    counts: Mapping[Verdict, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Count once."""
        found = Counter(one.verdict for one in self.proposed)
        object.__setattr__(self, "counts", {one: found[one] for one in Verdict})

    @property
    def sentence(self) -> str:
        """The counts in words."""
        told = ("to create", "to change", "unchanged", "in conflict")
        return ", ".join(
            f"{self.counts[verdict]} {words}" for verdict, words in zip(Verdict, told, strict=True)
        )

    def of(self, verdict: Verdict) -> list[Proposed]:
        """Return the files with one verdict."""
        return [one for one in self.proposed if one.verdict is verdict]


Incoming = tuple[Project, RecordFolder]
"""A project, and the folder of its records that comes in."""


def plan_proposals(session: Session, incoming: Sequence[Incoming], by: Actor) -> list[Proposals]:
    """Compare folders with what is kept, project by project; nothing is written.

    Links may lead from one of the folders into another.

    Raises
    ------
    Refused
        If the person may not write a type of which something is created or changed.
    """
    beside = {
        Key(project.key, one.uid): one.type
        for project, folder in incoming
        for one in folder.records
    }
    return [_plan(session, project, folder, by, beside) for project, folder in incoming]


def _plan(
    session: Session, project: Project, folder: RecordFolder, by: Actor, beside: Mapping[Key, str]
) -> Proposals:
    registry = get_registry()
    kept = KeptSide(session, project, folder.records)
    faults = [*folder.faults, *_of_others(folder.records, project)]
    own = [
        in_project(one, project.key) for one in folder.records if one.project in ("", project.key)
    ]
    for one in own:
        found = type_faults(one, registry)
        faults += found or kept.faults_of(one)
    faults += link_faults(own, registry, {**kept.types(own), **beside})
    proposed = [kept.proposed(one, by, registry) for one in own if one.type in registry]
    for each in proposed:
        if each.verdict is Verdict.UPDATE:
            faults += _made(session, each, project, registry)
        elif each.verdict is Verdict.CREATE:
            faults += _origin(each.file)
    for name in sorted(
        {one.file.type for one in proposed if one.verdict in (Verdict.CREATE, Verdict.UPDATE)}
    ):
        require_author(registry.of(name), project, by)
    named = {one.uid for one in own}
    absent = tuple(uid for uid, one in kept.records.items() if uid not in named and not one.gone)
    return Proposals(tuple(proposed), tuple(dict.fromkeys(faults)), absent)


def keep_proposals(
    session: Session, incoming: Sequence[Incoming], by: Actor, reason: str
) -> list[Proposals]:
    """Freeze what is in force, then create and change what folders propose: all or nothing.

    What is controlled arrives as drafts of the person who imports; approval is a signature, and
    no file gives one.

    Raises
    ------
    Invalid
        With every fault and every conflict; then nothing was written.
    Refused
        As `plan_proposals`.
    """
    hold_still(session)
    plans = plan_proposals(session, incoming, by)
    faults = [fault for found in plans for fault in (*found.faults, *_conflicts(found))]
    if faults:
        raise Invalid(NOTHING, faults)
    kept = []
    for (project, _), found in zip(incoming, plans, strict=True):
        changes = found.counts[Verdict.CREATE] + found.counts[Verdict.UPDATE]
        number = frozen(session, project, reason, by) if changes else None
        kept.append(replace(found, baseline=number))
    drafts = [
        one.file.draft(project.key)
        for (project, _), found in zip(incoming, plans, strict=True)
        for one in found.of(Verdict.CREATE)
    ]
    if drafts:
        import_records(session, drafts, by, get_registry())
    _save(session, [one for found in plans for one in found.of(Verdict.UPDATE)], by, reason)
    return kept


def _conflicts(found: Proposals) -> list[Fault]:
    return [
        Fault(
            "TR318",
            one.file.where("digest"),
            f"{one.file.uid} {one.note}.",
            _MEND_THERE if one.file.foreign else _MEND,
        )
        for one in found.of(Verdict.CONFLICT)
    ]


_MEND_THERE = "Export the project to its tool, make both changes one there, and import that."
_MEND = "Export the record again, make the change there, and import that."


def _save(session: Session, updated: Sequence[Proposed], by: Actor, reason: str) -> None:
    refused: list[Fault] = []
    for one in updated:
        if one.record is None or one.revision is None:
            continue
        token = edit_token(one.revision)
        try:
            save_draft(session, one.record, one.file.content, by, token, reason)
        except Invalid as error:
            refused += error.faults
        except Conflict as error:
            refused.append(Fault("TR318", one.file.where("id"), error.message))
    if refused:
        raise Invalid(NOTHING, refused)


def _of_others(records: Iterable[RecordFile], project: Project) -> list[Fault]:
    return [
        Fault(
            "TR316",
            one.where("project"),
            f"{one.uid} is a record of {one.project}, not of {project.key}.",
            f"Import it into {one.project}.",
        )
        for one in records
        if one.project not in ("", project.key)
    ]


def _origin(one: RecordFile) -> list[Fault]:
    """Return what is wrong with the origin of a new record, which may come from elsewhere."""
    origin = origin_in(one.content)
    if origin is None or not (part := odd_part(origin)):
        return []
    what = f"states an origin as no import does ({part[:80]})."
    return [Fault("TR312", one.where("fields", ORIGIN), f"{one.uid} {what}", "Take it out.")]


def _made(session: Session, one: Proposed, project: Project, registry: TypeRegistry) -> list[Fault]:
    """Return each field that an act fills in and that the file says otherwise."""
    if one.revision is None or one.file.foreign:
        # What an import fills in another import renews.
        return []
    before = content_of(session, one.revision, project)
    try:
        refuse_made(registry.of(one.file.type), one.file.content, before)
    except Invalid as refusal:
        return [
            Fault("TR312", one.file.where("fields", fault.where), fault.what, fault.mend)
            for fault in refusal.faults
        ]
    return []
