"""Run a command with a PostgreSQL of its own: started on a free loopback port, gone afterwards.

    python scripts/postgres.py pytest -m database

The command finds its address in FIDUCIAL_TEST_DATABASE_URL. PostgreSQL refuses to run as root, so
root starts it as the user `postgres`.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

USER = "fiducial"
START_TIMEOUT_S = 60

# What is proved here is behaviour, not durability: the cluster is thrown away.
CONFIGURATION = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


class PostgresError(Exception):
    """PostgreSQL could not be started; the message says why."""


def newest_bin() -> Path:
    """Return the folder of the newest PostgreSQL's programs."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise PostgresError(
            "PostgreSQL is not on this machine. On Debian: apt-get install postgresql"
        )
    return Path(on_path).parent


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: list[str]) -> None:
    """Run one of PostgreSQL's programs, as `postgres` when we are root."""
    as_other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_other, *command], cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PostgresError(
            f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}"
        )


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster in a temporary folder, yield its address, stop and remove it."""
    programs, folder, password = (
        newest_bin(),
        Path(tempfile.mkdtemp(prefix="fiducial-pg-")),
        secrets.token_hex(16),
    )
    data, port = folder / "data", free_port()
    password_file = folder / "password"
    password_file.write_text(password, encoding="ascii")
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        for path in (folder, password_file):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    control = [str(programs / "pg_ctl"), "--pgdata", str(data)]
    settings = {**CONFIGURATION, "port": str(port), "unix_socket_directories": str(folder)}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    try:
        where = ["--pgdata", str(data), "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        who = ["--username", USER, "--auth", "scram-sha-256", "--pwfile", str(password_file)]
        run([str(programs / "initdb"), *where, *who])
        log = str(folder / "log")
        run(
            [
                *control,
                "start",
                "--wait",
                "--timeout",
                str(START_TIMEOUT_S),
                "--log",
                log,
                "--options",
                options,
            ]
        )
        try:
            yield f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            run([*control, "stop", "--mode", "immediate"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stop(signum: int, _frame: FrameType | None) -> None:
    """Turn a signal into an exit, so that the cluster is always stopped."""
    sys.exit(128 + signum)


def main(command: list[str]) -> int:
    """Run the command beside a fresh PostgreSQL and return its exit code."""
    signal.signal(signal.SIGTERM, stop)
    try:
        with cluster() as url:
            environment = {**os.environ, "FIDUCIAL_TEST_DATABASE_URL": url}
            return subprocess.run(command, env=environment, check=False).returncode
    except PostgresError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python scripts/postgres.py COMMAND...")
    sys.exit(main(sys.argv[1:]))
