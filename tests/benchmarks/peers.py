"""The tools that `bench_peers.py` compares us with, in an environment of their own below var/.

They are installed for the benchmark alone, from a lock with hashes, so neither the product nor its
tests can come to rely on them.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE / "peers.txt"
PEERS = HERE.parents[1] / "var" / "bench-peers"


def installed() -> Path:
    """Return the folder of the peers' commands, installing what the lock names where it differs.

    Raises
    ------
    subprocess.CalledProcessError
        If it cannot be installed; pip has said why.
    """
    stamp = PEERS / ".lock"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        pip = [PEERS / "bin" / "python", "-m", "pip", "install", "--quiet"]
        for command in (
            [sys.executable, "-m", "venv", "--clear", PEERS],
            [*pip, "--require-hashes", "--requirement", LOCK],
        ):
            subprocess.run(command, check=True)  # noqa: S603 - nothing here is from outside
        stamp.write_text(wanted)
    return PEERS / "bin"
