"""Commands that bring the corpus of another tool in, and write it out again in its own form."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import acting, installation, say, tell
from core.errors import Invalid

if TYPE_CHECKING:
    from qms.interchange.corpus import Corpus
    from qms.interchange.mapping.records import MappedCorpus, Stated
    from qms.interchange.markdown.proposing import Proposals

Types = Annotated[list[str] | None, typer.Option("--type", help="KIND=RECORD_TYPE.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="ROLE=OUR_ROLE of its links.")]
Fields = Annotated[list[str] | None, typer.Option("--field", help="NAME=OUR_FIELD of its values.")]
Columns = Annotated[
    list[str] | None, typer.Option("--column", help="Of a sheet: PART=HEADING, as in trace-check.")
]
Levels = Annotated[
    list[str] | None, typer.Option("--level", help="Kind or document, topmost first.")
]
Accepted = Annotated[
    list[str] | None, typer.Option("--accept", help="Code of findings that may stand.")
]
Moved = Annotated[
    bool, typer.Option("--moved", help="Items may lie in other files than at the last import.")
]


@dataclass(frozen=True)
class CorpusOptions:
    """What the command line states about a corpus."""

    form: str | None = None
    types: Sequence[str] = ()
    roles: Sequence[str] = ()
    fields: Sequence[str] = ()
    columns: Sequence[str] = ()
    levels: Sequence[str] = ()
    accepted: Sequence[str] = ()
    moved: bool = False


def import_corpus(
    path: Path, into: str, person: str, options: CorpusOptions, *, dry_run: bool, as_json: bool
) -> None:
    """Make records of the items of another tool, or only tell what would become of each."""
    from app.tables import prepare
    from core.blobs import BlobStore
    from core.records.service import find_project
    from core.records.types import get_registry
    from qms.interchange.mapping.keeping import keep_corpus, plan_corpus
    from qms.interchange.mapping.records import map_corpus
    from qms.interchange.mapping.steps import scales_for
    from qms.interchange.readers.reading import read_corpus
    from qms.interchange.readers.sheets import column_map

    prepare()
    stated = _stated(options)
    corpus = read_corpus(path, options.form, column_map(options.columns))
    files = 0
    with installation() as opened:
        by = acting(opened, person)
        with opened.database.reading() if dry_run else opened.database.writing() as session:
            project = find_project(session, into)
            stated = replace(stated, scales=scales_for(session, into, corpus, stated.types))
            found = map_corpus(corpus, stated, get_registry(), into)
            if dry_run:
                plan = plan_corpus(session, project, found, by)
            else:
                store = BlobStore(opened.settings.data_dir / "blobs")
                about = (path.resolve().name, stated)
                kept = keep_corpus(session, store, project, found, by, about)
                plan, files = kept.proposals, kept.files
    _tell(corpus, found, plan, (files, dry_run, as_json))


def _stated(options: CorpusOptions) -> "Stated":
    from qms.interchange.mapping.accepting import known_codes
    from qms.interchange.mapping.records import NO_FIELD, NO_ROLE, NO_TYPE, Stated, stated_pairs

    types, faults = stated_pairs("--type", options.types, NO_TYPE)
    roles, more = stated_pairs("--role", options.roles, NO_ROLE)
    fields, rest = stated_pairs("--field", options.fields, NO_FIELD)
    if faults := [*faults, *more, *rest]:
        raise Invalid("Nothing was imported.", faults)
    accepted = frozenset(known_codes(options.accepted))
    return Stated(types, roles, fields, tuple(options.levels), accepted, moved=options.moved)


def _tell(
    corpus: "Corpus",
    found: "MappedCorpus",
    plan: "Proposals",
    how: tuple[int, bool, bool],
) -> None:
    from qms.interchange.markdown.standing import Verdict

    files, dry_run, as_json = how
    types = Counter(one.file.type for one in plan.proposed)
    told: dict[str, Any] = {
        "format": corpus.format,
        "items": len(corpus.items),
        "links": found.checked.links,
        "kept": not dry_run,
        "baseline": plan.baseline,
        "types": dict(types),
        "counts": {one.value: count for one, count in plan.counts.items()},
        "records": [_row(one) for one in plan.proposed],
        "files": files,
        "findings": [asdict(one) for one in found.findings],
        "left_out": dict(corpus.left_out),
    }
    lines = [
        f"{one.verdict.value:<9} {one.file.uid}  {one.note}".rstrip()
        for one in plan.proposed
        if one.verdict is not Verdict.UNCHANGED or one.note
    ]
    stopping = {(one.where, one.what) for one in found.folder.faults}
    lines += [
        f"{one.place}: {one.code} {one.what} {one.mend}".rstrip()
        for one in found.findings
        if (str(one.place), one.what) not in stopping
    ]
    lines += [f"left out: {count} {name}" for name, count in corpus.left_out.items()]
    lines += [f"{count:>6}  {name}" for name, count in types.items()]
    lines.append(f"{plan.sentence}{'; nothing was kept' if dry_run else ''}.")
    if files:
        lines.append(f"Files attached: {files}.")
    if plan.baseline is not None:
        lines.append(f"Baseline {plan.baseline} holds what was in force before.")
    say(told, as_json, "\n".join(lines))
    if plan.faults:
        raise Invalid("Nothing was imported.", plan.faults)
    if plan.counts[Verdict.CONFLICT]:
        raise typer.Exit(1)


def _row(one: Any) -> dict[str, Any]:
    origin = one.file.content.fields["origin"]
    return {
        "uid": one.file.uid,
        "id": origin["id"],
        "type": one.file.type,
        "place": one.file.where("id"),
        "verdict": one.verdict.value,
        "note": one.note,
    }


def export_corpus(project: str, folder: Path, form: str, *, drafts: bool) -> None:
    """Write what was imported from another tool in that tool's own form."""
    from core.blobs import BlobStore
    from core.records.service import find_project
    from qms.interchange.mapping.telling import told_corpus
    from qms.interchange.natives.writing import write_corpus

    if folder.exists() and not folder.is_dir():
        raise Invalid(f"{folder} is a file; a corpus is written into a folder.")
    with installation() as opened, opened.database.reading() as session:
        store = BlobStore(opened.settings.data_dir / "blobs")
        found = find_project(session, project)
        corpus = told_corpus(session, store, found, form, drafts=drafts)
    done = write_corpus(corpus, folder)
    for one in corpus.findings:
        tell(f"{one.code} {one.what}")
    for fault in done.left_out:
        tell(f"{fault.code} {fault}")
    tell(
        f"{folder} holds {project} as {corpus.format}; files written: {len(done.written)}, "
        f"unchanged: {done.unchanged}."
    )
