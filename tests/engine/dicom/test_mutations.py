"""Whatever bytes are changed, the reader answers with an object or a refusal, never otherwise."""

import random
from pathlib import Path

import pytest

from engine.dicom.read import read_dose, read_plan, read_structures
from engine.dicom.sandbox import Reader
from engine.errors import Reason, Refusal
from engine.synth.faults import write_set

pytestmark = pytest.mark.verifies("TST-033")

READ = {"rtdose.dcm": read_dose, "rtplan.dcm": read_plan, "rtstruct.dcm": read_structures}
HEADER_BYTES = 1300
"""Of the dose only the header is worth changing: any pixel value is a dose."""


def mutated(content: bytes, dice: random.Random, end: int) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.choice([1, 1, 2, 8])):
        at = dice.randrange(130, min(end, len(changed)))
        kind = dice.random()
        if kind < 0.6:
            changed[at] = dice.randrange(256)
        elif kind < 0.9:
            changed[at : at + 4] = b"\xff\xff\xff\xff"
        else:
            del changed[at : at + dice.randrange(1, 9)]
    return bytes(changed)


@pytest.mark.parametrize("name", READ)
def test_changed_bytes_give_an_object_or_a_refusal(
    reader: Reader, tmp_path: Path, name: str
) -> None:
    good = next(path for path in write_set(tmp_path / "good") if path.name == name).read_bytes()
    dice = random.Random(20260101)
    end = HEADER_BYTES if name == "rtdose.dcm" else len(good)
    path = tmp_path / name
    refusals: list[frozenset[Reason]] = []
    for _ in range(30):
        path.write_bytes(mutated(good, dice, end))
        try:
            READ[name](path, reader)
        except Refusal as refusal:
            refusals.append(refusal.codes)

    assert len(refusals) > 5
    assert Reason.READER_DIED not in frozenset().union(*refusals)
    path.write_bytes(good)
    assert READ[name](path, reader).source.file == name
