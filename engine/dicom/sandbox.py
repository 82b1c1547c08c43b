"""Parse untrusted files in a recycled child process with memory, CPU and wall time limits."""

import atexit
import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.dicom.limits import DEFAULT_LIMITS, Limits
from engine.dicom.scan import Scanned, scan
from engine.errors import Fault, Reason, Refusal, SandboxError, refuse

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); import json;"
    "from engine.dicom.limits import Limits; from engine.dicom.worker import serve;"
    "serve(Limits(**json.loads(sys.argv[2])))"
)
_ENGINE_HOME = str(Path(__file__).resolve().parents[2])
_CHILD_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PATH": os.defpath}


class ChildGone(Exception):
    """The child ended before it answered."""


@dataclass(frozen=True)
class RawObject:
    """What the child found in one file: plain strings and buffers, nothing judged yet."""

    scanned: Scanned
    kind: str
    identity: dict[str, str | None]
    found: dict[str, Any]
    buffers: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """File name, as faults name it."""
        return self.scanned.path.name


class Reader:
    """Reads untrusted files through one child process, replaced after a number of files.

    Any limit that is hit, and any death of the child, is a refusal of that file and costs the
    child; the next file gets a new one. Safe to share between threads (one file at a time).
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._served = 0

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end_child()

    def read(self, path: Path) -> RawObject:
        """Scan a file in process, parse it in the child and return its plain content.

        Raises
        ------
        Refusal
            With the code of the limit or damage that was met.
        """
        scanned = scan(Path(path), self.limits)
        with self._lock:
            header, buffers = self._ask(scanned)
        if "faults" in header:
            raise Refusal(
                Fault(Reason(f["code"]), f["where"], f["what"], f["next_step"])
                for f in header["faults"]
            )
        if header["sha256"] != scanned.sha256:
            raise refuse(Reason.UNREADABLE, scanned.path.name, "It changed while it was read.")
        kind = header["kind"]
        return RawObject(scanned, kind, header["identity"], header[kind], tuple(buffers))

    def _start_child(self) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-I",
            "-c",
            _START,
            _ENGINE_HOME,
            json.dumps(asdict(self.limits)),
        ]
        try:
            return subprocess.Popen(  # noqa: S603  (our own interpreter and code)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_CHILD_ENVIRONMENT,
                bufsize=0,
            )
        except OSError as error:
            raise SandboxError(f"The reading child could not be started: {error}") from error

    def _end_child(self) -> int | None:
        child, self._child, self._served = self._child, None, 0
        if child is None:
            return None
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        return child.wait()

    def _ask(self, scanned: Scanned) -> tuple[dict[str, Any], list[bytes]]:
        if self._served >= self.limits.files_per_child:
            self._end_child()
        if self._child is None or self._child.poll() is not None:
            self._end_child()
            self._child = self._start_child()
        self._served += 1
        deadline = time.monotonic() + self.limits.wall_seconds
        request = {
            "path": str(scanned.path.resolve()),
            "syntax": scanned.transfer_syntax,
            "offset": scanned.dataset_offset,
        }
        try:
            header, buffers = _exchange(self._child, request, deadline, self.limits.memory_bytes)
        except TimeoutError:
            self._end_child()
            what = f"Reading it took longer than {self.limits.wall_seconds:g} s."
            raise refuse(Reason.TIME_LIMIT, scanned.path.name, what) from None
        except (ChildGone, OSError, ValueError) as error:
            raise self._death(scanned) from error
        if "faults" in header:
            self._end_child()
        return header, buffers

    def _death(self, scanned: Scanned) -> Refusal:
        """Name why the child ended while it read this file."""
        child = self._child
        with contextlib.suppress(subprocess.TimeoutExpired):
            if child is not None:
                child.wait(timeout=2.0)
        status = child.poll() if child is not None else None
        self._end_child()
        if status == -signal.SIGXCPU:
            what = f"Reading it took more than {self.limits.cpu_seconds} s of CPU time."
            return refuse(Reason.TIME_LIMIT, scanned.path.name, what)
        what = f"The reading process ended (status {status}) while it parsed this file."
        return refuse(Reason.READER_DIED, scanned.path.name, what)


def _exchange(
    child: subprocess.Popen[bytes], request: dict[str, Any], deadline: float, most: int
) -> tuple[dict[str, Any], list[bytes]]:
    if child.stdin is None or child.stdout is None:
        raise ChildGone
    child.stdin.write(json.dumps(request).encode() + b"\n")
    descriptor = child.stdout.fileno()
    (length,) = struct.unpack("<Q", _take(descriptor, 8, deadline, most))
    header: dict[str, Any] = json.loads(_take(descriptor, length, deadline, most))
    buffers = [_take(descriptor, size, deadline, most) for size in header["buffers"]]
    return header, buffers


def _take(descriptor: int, length: int, deadline: float, most: int) -> bytes:
    """Read exactly ``length`` bytes before the deadline."""
    if length > most:
        raise ChildGone
    parts = bytearray()
    while len(parts) < length:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        part = os.read(descriptor, min(length - len(parts), 1 << 20))
        if not part:
            raise ChildGone
        parts += part
    return bytes(parts)


_shared: dict[int, Reader] = {}
_shared_lock = threading.Lock()


def shared_reader() -> Reader:
    """Return this process's own reader with the default limits; its child ends with the process.

    Keyed by process id: a forked process must not talk through its parent's pipes.
    """
    with _shared_lock:
        reader = _shared.get(os.getpid())
        if reader is None:
            _shared.clear()
            reader = _shared[os.getpid()] = Reader()
            atexit.register(reader.close)
        return reader
