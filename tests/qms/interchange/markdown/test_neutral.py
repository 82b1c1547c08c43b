"""Our own files are a corpus like that of any other tool."""

from qms.interchange.corpus import Place
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.neutral import as_corpus
from qms.interchange.markdown.record_file import read_record

TEXT = b"""---
id: TRN-001
type: training
project: RPM
title: Trained
revision: 3
links:
  - covers: DOC-001
    attributes:
      revision: 2
  - uses: DEPT/TPS
---

Seen.
"""


def test_items_and_links_keep_their_lines_and_pinned_revisions() -> None:
    read, faults = read_record(TEXT + b"", "training/TRN-001.md")
    assert read is not None

    corpus = as_corpus(RecordFolder((read,), tuple(faults)))

    [item] = corpus.items
    assert (item.uid, item.kind, item.text, item.revision) == ("TRN-001", "training", "Seen.", "3")
    assert item.place == Place("training/TRN-001.md", 2)
    covers, uses = item.references
    assert (covers.target, covers.stated) == ("DOC-001", "2")
    assert (uses.target, uses.stated) == ("DEPT/TPS", None)
    assert uses.place == Place("training/TRN-001.md", 11)


def test_what_is_wrong_with_a_file_is_a_finding_with_its_place() -> None:
    _, faults = read_record(b"---\nid: A\ntitel: x\n---\n", "a.md")

    corpus = as_corpus(RecordFolder((), tuple(faults)))

    assert corpus.findings[0].code == "TR304"
    assert corpus.findings[0].place == Place("a.md", 3)
