"""Read and check what was sent, in a process of its own: no page ever parses it."""

import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlmodel import Session

from core.blobs import BlobStore, StoredBlob
from core.errors import Invalid
from core.jobs.context import JobContext, JsonDict
from core.people.models import Person
from core.people.service import actor_of
from core.records.service import find_project
from qms.interchange.checks.listing import files_of, find_row
from qms.interchange.checks.service import keep_result
from qms.interchange.checks.unpacking import lay_out
from qms.interchange.readers.reading import read_corpus
from qms.interchange.readers.sheets import column_map
from qms.interchange.telling import told

STAGES = 3

Progress = Callable[[int, int, str], None]


def run(ctx: JobContext) -> JsonDict:
    """Check the files that a job's payload names, for the person who asked."""
    key, number = str(ctx.payload["project"]), int(ctx.payload["number"])
    store = BlobStore(ctx.settings.data_dir / "blobs")
    with ctx.db.reading() as session:
        project = find_project(session, key)
        check = find_row(session, project, number)
        files = [(one.name, one.sha256) for one in files_of(session, check)]
        form, levels, columns = check.form, tuple(check.levels), tuple(check.columns)

    def work() -> tuple[JsonDict, StoredBlob]:
        sent = ((name, store.read(sha256, verify=True)) for name, sha256 in files)
        result = checked(sent, form, levels, columns, ctx.progress)
        return result, store.put(json.dumps(result, ensure_ascii=False, indent=1).encode())

    def commit(session: Session, done: tuple[JsonDict, StoredBlob]) -> JsonDict:
        result, stored = done
        project = find_project(session, key)
        person = session.get(Person, ctx.created_by) if ctx.created_by else None
        by = actor_of(session, person) if person else None
        keep_result(session, project, find_row(session, project, number), result, stored, by)
        return {"told": _sentence(result), "address": f"/p/{key}/files-in/{number}"}

    found: JsonDict = ctx.step("check", work=work, commit=commit)
    ctx.progress(STAGES, STAGES, found["told"])
    return found


def checked(
    files: Iterable[tuple[str, bytes]],
    form: str = "",
    levels: Sequence[str] = (),
    columns: Sequence[str] = (),
    progress: Progress = lambda _done, _total, _text: None,
) -> JsonDict:
    """Return what files come to; that they cannot be read is a result too, with its faults."""
    with tempfile.TemporaryDirectory(prefix="fiducial-check-") as made:
        folder = Path(made)
        try:
            progress(0, STAGES, "Unpacking what was sent")
            count = lay_out(files, folder)
            progress(1, STAGES, f"Reading {count} file{'s' if count != 1 else ''}")
            names = sorted(folder.iterdir())
            # One file alone is read as itself, as the command does.
            alone = names[0] if count == 1 and names[0].is_file() else folder
            corpus = read_corpus(alone, form or None, column_map(columns))
            progress(2, STAGES, f"Checking the links of {len(corpus.items)} items")
            result = told(corpus, levels).as_plain()
        except Invalid as refusal:
            result = _refused(folder, refusal)
    return dict(_storable(result))


def _storable(value: Any) -> Any:
    """Return a value without the characters that not every database and page can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value


def _refused(folder: Path, refusal: Invalid) -> JsonDict:
    return {
        "refused": _without(folder, refusal.message),
        "faults": [
            {
                "code": one.code,
                "where": _without(folder, one.where),
                "what": _without(folder, one.what),
                # What the command calls an option is a field of the form here.
                "mend": one.mend.replace("--format ", "format "),
            }
            for one in refusal.faults
        ],
    }


def _without(folder: Path, text: str) -> str:
    """Take the folder of the job out of a sentence: what was sent has no such name."""
    told = text.replace(f"{folder}/", "").replace(str(folder), "what was sent")
    return told[:1].upper() + told[1:] if told.startswith("what was sent") else told


def _sentence(result: dict[str, Any]) -> str:
    if result.get("refused"):
        return "Nothing could be read"
    count = len(result["findings"])
    findings = "no finding" if not count else "1 finding" if count == 1 else f"{count} findings"
    return f"{result['items']} items and {result['links']} links of {result['format']}, {findings}"
