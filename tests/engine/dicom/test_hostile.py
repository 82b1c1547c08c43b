"""Files that ask for more than a reader should give are refused by name, cheaply."""

import resource
import time
from pathlib import Path

import pytest

from engine.dicom.limits import MEGABYTE, Limits
from engine.dicom.sandbox import Reader
from engine.errors import Reason, Refusal
from engine.synth.faults import write_set
from engine.synth.hostile import deflated_bomb, nested, overlong_element, truncated
from tests.effort import effort

pytestmark = pytest.mark.verifies("TST-033")


def refused(reader: Reader, path: Path) -> Reason:
    with pytest.raises(Refusal) as caught:
        reader.read(path)
    assert len(caught.value.faults) == 1
    return caught.value.faults[0].code


@pytest.mark.parametrize("delimited", [True, False])
def test_a_300_deep_nested_file_is_refused(reader: Reader, tmp_path: Path, delimited: bool) -> None:
    path = nested(tmp_path / "nested.dcm", 300, delimited)

    assert path.stat().st_size < 12_000
    assert refused(reader, path) == Reason.NESTED_TOO_DEEP


def test_nesting_up_to_the_limit_is_read(reader: Reader, tmp_path: Path) -> None:
    assert reader.read(nested(tmp_path / "a.dcm", 32)).kind == "dose"
    assert refused(reader, nested(tmp_path / "b.dcm", 33)) == Reason.NESTED_TOO_DEEP


def test_a_deflated_file_claiming_a_gigabyte_costs_little(reader: Reader, tmp_path: Path) -> None:
    """1 GB would take seconds and the memory; the limit is 64 MB of counting, nothing kept."""
    path = deflated_bomb(tmp_path / "bomb.dcm")
    before = resource.getrusage(resource.RUSAGE_SELF)
    codes: list[Reason] = []

    spent = effort(lambda: codes.append(refused(reader, path)))

    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss
    assert codes == [Reason.DEFLATED_TOO_LARGE]
    assert spent < 200
    assert grown_kb < 32 * 1024


def test_a_300_kb_deflated_file_is_refused(reader: Reader, tmp_path: Path) -> None:
    path = deflated_bomb(tmp_path / "bomb.dcm", 300 * MEGABYTE)

    assert path.stat().st_size < 330_000
    assert refused(reader, path) == Reason.DEFLATED_TOO_LARGE


def test_a_damaged_deflated_file_is_refused(reader: Reader, tmp_path: Path) -> None:
    path = deflated_bomb(tmp_path / "a.dcm", MEGABYTE)
    content = path.read_bytes()

    path.write_bytes(content[:-100])
    assert refused(reader, path) == Reason.TRUNCATED
    path.write_bytes(content[:300] + b"\xff" * 40 + content[340:])
    assert refused(reader, path) in {Reason.DEFLATED_BROKEN, Reason.TRUNCATED}


@pytest.mark.parametrize("keep", [0.1, 0.3, 0.6, 0.99])
def test_a_file_cut_short_is_refused(reader: Reader, tmp_path: Path, keep: float) -> None:
    path = truncated(tmp_path / "cut.dcm", tmp_path / "whole", keep)

    assert refused(reader, path) == Reason.TRUNCATED


def test_every_cut_of_a_structure_set_is_refused_or_read_whole(
    reader: Reader, tmp_path: Path
) -> None:
    """A cut between two elements leaves a readable file; then the values that went are missing."""
    from engine.dicom.read import read_structures

    whole = next(p for p in write_set(tmp_path) if p.name == "rtstruct.dcm").read_bytes()
    path = tmp_path / "cut.dcm"
    for keep in range(140, len(whole) - 1, len(whole) // 25):
        path.write_bytes(whole[:keep])
        with pytest.raises(Refusal):
            read_structures(path, reader)


def test_an_element_longer_than_its_file_is_refused(reader: Reader, tmp_path: Path) -> None:
    assert refused(reader, overlong_element(tmp_path / "a.dcm")) == Reason.TRUNCATED


def test_what_is_no_dicom_file_is_refused(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no DICOM")
    (tmp_path / "empty").touch()

    assert refused(reader, tmp_path / "a.txt") == Reason.NOT_DICOM
    assert refused(reader, tmp_path / "empty") == Reason.NOT_DICOM
    assert refused(reader, tmp_path / "absent") == Reason.FILE_MISSING


def test_a_file_over_the_size_limit_is_not_opened(tmp_path: Path) -> None:
    path = next(p for p in write_set(tmp_path) if p.name == "rtdose.dcm")

    with Reader(Limits(file_bytes=1000)) as small:
        assert refused(small, path) == Reason.FILE_TOO_LARGE


def test_too_many_elements_are_refused(tmp_path: Path) -> None:
    path = next(p for p in write_set(tmp_path) if p.name == "rtstruct.dcm")

    with Reader(Limits(elements=50)) as small:
        assert refused(small, path) == Reason.TOO_MANY_ELEMENTS


def test_memory_of_the_child_is_bounded(tmp_path: Path) -> None:
    """A 300 MB file in a child with 400 MB for itself and all: refused, and the parent unharmed."""
    path = deflated_bomb(tmp_path / "a.dcm", 300 * MEGABYTE)
    limits = Limits(memory_bytes=500 * MEGABYTE, inflated_bytes=400 * MEGABYTE)

    with Reader(limits) as small:
        assert refused(small, path) in {Reason.MEMORY_LIMIT, Reason.READER_DIED}
        good = next(p for p in write_set(tmp_path / "good") if p.name == "rtplan.dcm")
        assert small.read(good).kind == "plan"


def test_wall_time_is_bounded_and_the_next_file_gets_a_new_child(tmp_path: Path) -> None:
    path = next(p for p in write_set(tmp_path) if p.name == "rtplan.dcm")
    with Reader(Limits(wall_seconds=0.001)) as hasty:
        assert refused(hasty, path) == Reason.TIME_LIMIT

        hasty.limits = Limits()
        assert hasty.read(path).kind == "plan"


def test_a_child_is_replaced_after_its_share_of_files(tmp_path: Path) -> None:
    path = next(p for p in write_set(tmp_path) if p.name == "rtplan.dcm")

    with Reader(Limits(files_per_child=2)) as recycled:
        seen = []
        for _ in range(4):
            recycled.read(path)
            assert recycled._child is not None
            seen.append(recycled._child.pid)

    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_a_child_that_dies_is_a_refusal_and_not_the_end(tmp_path: Path) -> None:
    path = next(p for p in write_set(tmp_path) if p.name == "rtplan.dcm")
    with Reader() as mortal:
        mortal.read(path)
        assert mortal._child is not None
        mortal._child.kill()
        mortal._child.wait()

        assert mortal.read(path).kind == "plan"


SPINNING = (
    "import sys; sys.path.insert(0, sys.argv[1]); import json, time;"
    "from engine.dicom import worker; from engine.dicom.limits import Limits;"
    "true = worker.extract;"
    "spin = lambda until: next(n for n in iter(int, 1) if time.process_time() > until);"
    "worker.extract = lambda path, *rest:"
    " (spin(time.process_time() + float(path.name.split('-')[0])), true(path, *rest))[1];"
    "worker.serve(Limits(**json.loads(sys.argv[2])))"
)
"""A child that burns as many seconds of processor time over a file as the file's name says."""


def test_cpu_time_is_bounded_for_each_file_apart(tmp_path: Path, monkeypatch) -> None:
    """Three files of 0.5 s pass a limit of 1 s that a single one of 60 s does not."""
    plan = next(p for p in write_set(tmp_path) if p.name == "rtplan.dcm")
    slow, endless = tmp_path / "0.5-plan.dcm", tmp_path / "60-plan.dcm"
    for path in (slow, endless):
        path.write_bytes(plan.read_bytes())
    monkeypatch.setattr("engine.dicom.sandbox._START", SPINNING)

    with Reader(Limits(cpu_seconds=1)) as reader:
        assert [reader.read(slow).kind for _ in range(3)] == ["plan"] * 3
        started = time.monotonic()
        with pytest.raises(Refusal) as caught:
            reader.read(endless)
        assert reader.read(slow).kind == "plan"

    [fault] = caught.value.faults
    assert fault.code == Reason.TIME_LIMIT
    assert "more than 1 s of CPU time" in fault.what
    assert time.monotonic() - started < 30
