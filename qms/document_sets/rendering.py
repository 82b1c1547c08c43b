"""Fill the templates of a document set in; the same records give the same bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import Fault, Invalid
from core.records.snapshot import RecordView, natural_order
from qms.document_sets.parts import LATE, MOST_NAMED, Filling, NoPart, Source
from qms.document_sets.placing import heading_words
from qms.document_sets.templates import PLACEHOLDER, Placeholder, Template
from qms.document_sets.wording import plain, table

INDEX = "README.md"


@dataclass(frozen=True)
class Rendered:
    """One document of the set."""

    id: str
    title: str
    status: str
    body: str

    @property
    def text(self) -> str:
        """The whole document in Markdown."""
        return f"# {heading_words(plain(self.title))}\n\n{self.body}\n"

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.id}.md"


def render_set(source: Source, templates: Sequence[Template]) -> list[Rendered]:
    """Return every document, filled in.

    Raises
    ------
    Invalid
        With every placeholder that brings nothing, by template and line.
    """
    faults: list[Fault] = []
    found = [_rendered(source, one, faults) for one in templates]
    if faults:
        raise Invalid("No document was written.", faults)
    return found


def index_of(source: Source, documents: Iterable[Rendered]) -> str:
    """Return a list of the set: every document with its version and status."""
    rows = [[one.id, one.title, source.version, one.status] for one in documents]
    listed = table(["Document", "Title", "Version", "Status"], rows)
    return f"# {plain(source.title)}: documents\n\n{listed}\n"


def _rendered(source: Source, template: Template, faults: list[Fault]) -> Rendered:
    """Fill one template in: what tells of all other parts last, and no part looked through."""
    filling = Filling(source, template)
    pieces: list[str | Placeholder] = []
    end = 0
    for found in PLACEHOLDER.finditer(template.text):
        asked = template.placeholder(found)
        is_late = asked.name in LATE and asked.alone and not asked.words
        pieces += [template.text[end : found.start()]]
        pieces += [asked if is_late else _filled(filling, asked, faults)]
        end = found.end()
    pieces.append(template.text[end:])
    late = {"head": lambda: _head(filling), "approvals": lambda: _approvals(filling)}
    text = "".join(one if isinstance(one, str) else late[one.name]() for one in pieces)
    return Rendered(filling.document_id, template.title, status(filling), text)


def _filled(filling: Filling, asked: Placeholder, faults: list[Fault]) -> str:
    inline = None if asked.words else filling.inline(asked.name)
    if inline is not None:
        return inline
    try:
        part = filling.block(asked)
    except NoPart as error:
        faults.append(Fault("DS02", asked.where, error.what, error.mend))
        return ""
    if not asked.alone:
        what = f"'{asked.name}' stands within a line."
        faults.append(Fault("DS02", asked.where, what, "Give it a line of its own."))
    return part


def _head(filling: Filling) -> str:
    """Return what stands at the head of a controlled document; nobody types any of it."""
    source = filling.source
    frozen = source.given.facts.baseline
    changed = f", {len(frozen.changed)} records changed since" if frozen and frozen.changed else ""
    rows = [
        ["Document", filling.document_id],
        ["Version", source.version],
        ["Status", status(filling)],
        ["Device", f"{source.title} ({source.key})"],
    ]
    if source.release is not None:
        rows += [
            ["Release", f"{source.release.uid}, tag {source.said('git_tag')}"],
            ["Commit", source.said("commit")],
            ["Baseline", source.said("baseline") + ("" if source.signed_at else changed)],
        ]
    return table(["", ""], rows)


def _approvals(filling: Filling) -> str:
    """Return the signatures on everything that a document shows, and where there are none."""
    source = filling.source
    shown = {one.key: one for one in filling.shown.values() if _is_controlled(source, one)}
    if source.release is not None:
        shown[source.release.key] = source.release
    if not shown:
        return "*Missing: this document shows nothing that anybody could have approved.*"
    records = sorted(shown.values(), key=lambda one: (one.type, natural_order(one.uid)))
    rows = [
        [one.uid, str(one.revision), one.state.replace("_", " "), _signatures(one)]
        for one in records
    ]
    return table(["Record", "Revision", "State", "Signatures"], rows)


def _signatures(one: RecordView) -> str:
    said = [
        f"{each.signer}, {each.capacity}: {each.meaning}, {each.at:%Y-%m-%d %H:%M} UTC"
        for each in one.signatures
    ]
    return "\n".join(said) or "nobody has signed"


def status(filling: Filling) -> str:
    """Say whether a document counts, and what of what it shows does not."""
    source = filling.source
    if source.release is None:
        said = "Draft: made for no release."
    elif source.signed_at is None:
        said = f"Draft: release {source.version} is not signed."
    else:
        said = f"Released with {source.version}, signed {source.signed_at:%Y-%m-%d %H:%M} UTC."
    controlled = [one for one in filling.shown.values() if _is_controlled(source, one)]
    open_ones = sorted((one.uid for one in controlled if not one.in_force), key=natural_order)
    if open_ones:
        named = ", ".join(open_ones[:MOST_NAMED])
        more = f" and {len(open_ones) - MOST_NAMED} more" if len(open_ones) > MOST_NAMED else ""
        part = f"{len(open_ones)} of {len(controlled)} records are not approved, {named}{more}."
        said = f"{said if said.startswith('Draft') else f'In part a draft. {said}'} {part}"
    return said


def _is_controlled(source: Source, one: RecordView) -> bool:
    return one.type in source.registry and source.registry.of(one.type).lifecycle == "controlled"
