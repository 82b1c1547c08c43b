"""No byte of a pack can change without its member being named."""

import random
from pathlib import Path

import pytest

from tests.validation.pack.tampering import spans
from validation.pack.container import END, Span
from validation.verify.members import ZIP
from validation.verify.verification import verify_pack

pytestmark = pytest.mark.verifies("TST-024")

SEED = 20261120
"""Which bit is flipped, and where in the data, differs from member to member but not from run to
run."""


class Flipper:
    """Verifies copies of a pack that differ in one bit."""

    def __init__(self, pack: Path, key: Path, folder: Path) -> None:
        self.intact = pack.read_bytes()
        self.key = key
        self.copy = folder / "copy.zip"
        self.random = random.Random(SEED)

    def named(self, position: int) -> set[str]:
        """Return the members named when one bit of this byte is flipped; fail if exit is not 1."""
        changed = bytearray(self.intact)
        changed[position] ^= 1 << self.random.randrange(8)
        self.copy.write_bytes(changed)
        verdict = verify_pack(self.copy, [self.key])
        assert verdict.exit_code == 1, f"byte {position} changed unnoticed"
        return {finding.member for finding in verdict.findings}

    def misnamed(self, span: Span, positions) -> list[int]:
        """Return the positions whose change names anything but this member."""
        return [n for n in positions if self.named(n) != {span.path}]


@pytest.fixture
def flip(pack, key_file, tmp_path) -> Flipper:
    return Flipper(pack, key_file, tmp_path)


def test_any_byte_of_a_members_header_names_it(pack, flip) -> None:
    misnamed = {s.path: flip.misnamed(s, range(s.start, s.data)) for s in spans(pack)}

    assert not {path: positions for path, positions in misnamed.items() if positions}


def test_any_byte_of_a_members_directory_entry_names_it(pack, flip) -> None:
    misnamed = {s.path: flip.misnamed(s, range(s.central, s.central_end)) for s in spans(pack)}

    assert not {path: positions for path, positions in misnamed.items() if positions}


def test_a_byte_of_a_members_content_names_it(pack, flip) -> None:
    """First, last and sixteen random bytes of each member, the PDF and its streams included."""
    misnamed = {}
    for span in spans(pack):
        inside = [flip.random.randrange(span.data, span.end) for _ in range(16)]
        misnamed[span.path] = flip.misnamed(span, [span.data, *inside, span.end - 1])

    assert len(misnamed) > 15
    assert not {path: positions for path, positions in misnamed.items() if positions}


def test_any_byte_of_the_end_record_is_noticed(flip) -> None:
    end = len(flip.intact)

    assert {name for n in range(end - END.size, end) for name in flip.named(n)} == {ZIP}


def test_without_a_key_a_flipped_byte_is_noticed_as_well(pack, tmp_path) -> None:
    span = spans(pack)[len(spans(pack)) // 2]
    changed = bytearray(pack.read_bytes())
    changed[span.data] ^= 1
    (tmp_path / "copy.zip").write_bytes(changed)

    verdict = verify_pack(tmp_path / "copy.zip")

    assert verdict.exit_code == 1
    assert [finding.member for finding in verdict.findings] == [span.path]
