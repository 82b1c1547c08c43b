"""Real DICOM listeners on this machine: DCMTK's storescp and wlmscpfs, and Orthanc."""

import json
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pynetdicom import AE

from engine.network.findings import Listener

LOOPBACK = "127.0.0.1"
PATIENCE_S = 30.0
"""For a listener to begin; nothing waits for it longer than it takes."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return int(one.getsockname()[1])


@contextmanager
def running(command: Sequence[str], port: int, folder: Path) -> Iterator[int]:
    """Run a listener until the block ends; yields its port once it takes connections."""
    told = folder / "listener.log"
    with told.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the peers that the tests name
            command,
            cwd=folder,
            env={**os.environ, "TCP_NODELAY": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            until = time.monotonic() + PATIENCE_S
            while not _takes(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{command[0]} does not listen: {told.read_text()[-2000:]}")
                time.sleep(0.05)
            yield port
        finally:
            # Orthanc takes two seconds to end in order, and nothing it has is kept.
            process.kill()
            process.wait()


def _takes(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(0.2)
        return one.connect_ex((LOOPBACK, port)) == 0


@contextmanager
def storescp(storescu: Path, folder: Path, *options: str) -> Iterator[int]:
    """Run DCMTK's storage listener, which takes every caller and every name for itself."""
    port = free_port()
    command = [str(storescu.with_name("storescp")), *options, str(port)]
    with running(command, port, folder) as at:
        yield at


@contextmanager
def wlmscpfs(storescu: Path, folder: Path, ae: str) -> Iterator[int]:
    """Run DCMTK's worklist listener, which knows itself by its folders."""
    lists = folder / "worklists"
    (lists / ae).mkdir(parents=True)
    (lists / ae / "lockfile").touch()
    port = free_port()
    command = [str(storescu.with_name("wlmscpfs")), "-s", "-dfp", str(lists), str(port)]
    with running(command, port, folder) as at:
        yield at


@contextmanager
def orthanc(program: Path, folder: Path, ae: str, known: str) -> Iterator[int]:
    """Run Orthanc with a name of its own and one known caller."""
    port, pages = free_port(), free_port()
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [str(one) for one in worklist_plugin()],
        "Worklists": {"Enable": True, "Database": str(folder)},
        "HttpPort": pages,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": True,
        "DicomAet": ae,
        "DicomPort": port,
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomAlwaysAllowFind": False,
        "DicomAlwaysAllowFindWorklist": False,
        "DicomAlwaysAllowGet": False,
        "DicomAlwaysAllowMove": False,
        "DicomModalities": {"known": [known, LOOPBACK, 104]},
    }
    written = folder / "orthanc.json"
    written.write_text(json.dumps(settings), encoding="utf-8")
    with running([str(program), str(written)], port, folder) as at:
        yield at


def worklist_plugin() -> list[Path]:
    """Return Orthanc's worklist plugin, where Debian puts it."""
    folders = (Path("/usr/lib/orthanc"), Path("/usr/share/orthanc/plugins"))
    return [one for folder in folders for one in folder.glob("libModalityWorklists.so*")][:1]


@contextmanager
def answering(answer: bytes, *, hang_up: bool) -> Iterator[int]:
    """Take one connection, answer the request with some bytes, and hang up or wait."""
    done = threading.Event()
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            near, _ = server.accept()
            with near:
                near.recv(65536)
                near.sendall(answer)
                if not hang_up:
                    done.wait(60)

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield server.getsockname()[1]
        finally:
            done.set()
            serving.join()


@contextmanager
def resetting() -> Iterator[int]:
    """Take one connection and reset it, as a listener does that never heard of TLS."""
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            near, _ = server.accept()
            near.recv(1)
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            near.close()

        serving = threading.Thread(target=serve)
        serving.start()
        yield server.getsockname()[1]
        serving.join()


@contextmanager
def taking(*contexts: tuple[str, str]) -> Iterator[int]:
    """Listen in DICOM for some object classes, each in one transfer syntax."""
    entity = AE(ae_title="LISTENER")
    for one, syntax in contexts:
        entity.add_supported_context(one, syntax)
    server = entity.start_server((LOOPBACK, 0), block=False)
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()


def at(port: int, calling: str, called: str) -> Listener:
    """Return a listener of this machine."""
    return Listener(calling, called, LOOPBACK, port)
