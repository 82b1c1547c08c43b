"""Read a folder of Markdown, within limits, and refuse one that holds nothing to be checked."""

from pathlib import Path

from core.errors import Fault, Invalid
from qms.document_control.documents import Document, read_document

MOST_FILES = 5_000
LARGEST_BYTES = 2_000_000


def read_folder(folder: Path) -> tuple[Document, ...]:
    """Return every Markdown file below a folder, in the order of their names.

    Hidden folders and links that lead elsewhere are left out.

    Raises
    ------
    Invalid
        If the folder is not there or holds no Markdown: a check of nothing is no success. With
        every file that is too large or is no text.
    """
    if not folder.is_dir():
        raise Invalid(f"There is no folder {folder}.")
    root = folder.resolve()
    paths = [
        path
        for path in sorted(folder.rglob("*.md"))
        if path.is_file()
        and path.resolve().is_relative_to(root)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not paths:
        raise Invalid(f"{folder} holds no Markdown document, so nothing was checked.")
    if len(paths) > MOST_FILES:
        raise Invalid(f"{folder} holds {len(paths):,} documents; {MOST_FILES:,} can be read.")
    faults: list[Fault] = []
    found = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if path.stat().st_size > LARGEST_BYTES:
            what = f"is larger than {LARGEST_BYTES // 1_000_000} MB."
            faults.append(Fault("DL20", name, what, "Split it, or move it elsewhere."))
            continue
        try:
            found.append(read_document(name, path.read_text(encoding="utf-8-sig")))
        except UnicodeDecodeError:
            faults.append(Fault("DL21", name, "is no text in UTF-8.", "Save it as UTF-8."))
    if faults:
        raise Invalid(f"Some documents of {folder} cannot be read.", faults)
    return tuple(found)
