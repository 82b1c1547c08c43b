"""The reading child: parses one untrusted file after another under operating system limits.

Each request is one line of JSON on standard input. Each answer is a JSON header, preceded by its
length, and the buffers it announces. Nothing is pickled: a child that was taken over by a file can
answer wrongly, but cannot make its parent run anything.
"""

import json
import resource
import struct
import sys
import warnings
from pathlib import Path
from typing import BinaryIO

from engine.dicom.extract import extract
from engine.dicom.limits import Limits
from engine.errors import Fault, Reason, Refusal


def _answer(stream: BinaryIO, header: dict[str, object], buffers: list[bytes]) -> None:
    header["buffers"] = [len(buffer) for buffer in buffers]
    encoded = json.dumps(header).encode()
    stream.write(struct.pack("<Q", len(encoded)))
    stream.write(encoded)
    stream.writelines(buffers)
    stream.flush()


def _renew_cpu(seconds: int) -> None:
    """Allow this file ``seconds`` beyond what the child has used so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (_at_most(soft, hard), hard))


def _at_most(wanted: int, hard: int) -> int:
    """Return a limit that a stricter one of our own parent allows."""
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def serve(limits: Limits) -> None:
    """Answer requests until standard input closes."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    memory = _at_most(limits.memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    warnings.simplefilter("ignore")  # pydicom's remarks on values: the checks judge them by code
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        request = json.loads(line)
        path = Path(request["path"])
        _renew_cpu(limits.cpu_seconds)
        try:
            header, buffers = extract(path, request["syntax"], request["offset"], limits)
        except Refusal as refusal:
            _answer(out, {"faults": [fault.as_dict() for fault in refusal.faults]}, [])
        except MemoryError:
            what = f"Reading it needs more than {limits.memory_bytes} bytes of memory."
            fault = Fault(Reason.MEMORY_LIMIT, path.name, what)
            _answer(out, {"faults": [fault.as_dict()]}, [])
        else:
            _answer(out, header, buffers)
