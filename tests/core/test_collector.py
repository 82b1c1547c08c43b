"""The garbage collector rests while anybody asks it to, and wakes when the last one leaves."""

import gc

import pytest

from core.collector import collector_at_rest


def test_it_rests_until_the_last_one_leaves() -> None:
    with collector_at_rest():
        with collector_at_rest():
            assert not gc.isenabled()
        assert not gc.isenabled()

    assert gc.isenabled()


def test_it_wakes_when_the_work_fails() -> None:
    with pytest.raises(ValueError, match="broken"), collector_at_rest():
        raise ValueError("broken")

    assert gc.isenabled()


def test_one_that_was_switched_off_stays_off() -> None:
    gc.disable()
    try:
        with collector_at_rest():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()
