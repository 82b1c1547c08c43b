"""Who is alive: a number alone proves nothing, a number with its start time does."""

import os
import signal
import subprocess
import sys
import time

from core.jobs.processes import Process, here, is_alive, process, start_guarded, this_process

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_this_process_is_alive_and_its_successor_is_not() -> None:
    me = this_process()

    assert is_alive(me)
    assert not is_alive(Process(me.pid, me.started + 1))


def test_a_killed_process_is_dead_even_before_its_parent_looks() -> None:
    sleeper = subprocess.Popen(SLEEP)  # noqa: S603 - our own program
    known = process(sleeper.pid)
    assert known is not None
    assert is_alive(known)

    sleeper.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while is_alive(known):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    # Nobody has waited for it, so its entry still stands in the process table.
    os.kill(sleeper.pid, 0)
    sleeper.wait()
    assert not is_alive(known)


def test_a_stopped_process_is_alive() -> None:
    sleeper = subprocess.Popen(SLEEP)  # noqa: S603 - our own program
    known = process(sleeper.pid)
    assert known is not None

    sleeper.send_signal(signal.SIGSTOP)

    assert is_alive(known)
    sleeper.kill()
    sleeper.wait()


def test_the_place_names_this_boot_and_this_process_space() -> None:
    place = here()

    assert place == here()
    assert place.host
    assert len(place.boot_id) == 36
    assert place.process_space.startswith("pid:[")


def test_a_guarded_program_dies_with_the_process_that_started_it() -> None:
    parent = subprocess.Popen(  # noqa: S603 - our own program
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from core.jobs.processes import start_guarded\n"
            f"print(start_guarded({SLEEP!r}).pid, flush=True)\n"
            "time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert parent.stdout is not None
    with parent.stdout:
        known = process(int(parent.stdout.readline()))
    assert known is not None

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    deadline = time.monotonic() + 60
    while is_alive(known):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_guarded_program_ends_as_any_other() -> None:
    program = start_guarded([sys.executable, "-c", "print('done')"], stdout=subprocess.PIPE)

    output, _ = program.communicate(timeout=30)

    assert (program.returncode, output) == (0, b"done\n")
