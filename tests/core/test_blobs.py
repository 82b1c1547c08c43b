"""Files by their digest: whole, unchanged, and never outside their folder."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.blobs import Blob, BlobStore, DamagedBlob, keep
from core.db import Database, Table, open_database
from core.errors import NotFound

ROOT = Path(__file__).parents[2]
PHANTOM = b"a phantom of water"
PHANTOM_SHA256 = hashlib.sha256(PHANTOM).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def files_db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'files.db'}")
    Table.metadata.create_all(database.engine, tables=[Blob.__table__])  # type: ignore[attr-defined]
    yield database
    database.engine.dispose()


def files_in(store: BlobStore) -> list[Path]:
    return sorted(path for path in store.root.rglob("*") if path.is_file())


def test_a_file_lies_under_its_own_digest(store: BlobStore) -> None:
    stored = store.put(PHANTOM)

    assert (stored.sha256, stored.size) == (PHANTOM_SHA256, len(PHANTOM))
    assert store.path(PHANTOM_SHA256) == store.root / PHANTOM_SHA256[:2] / PHANTOM_SHA256[2:]
    assert store.read(PHANTOM_SHA256, verify=True) == PHANTOM
    assert list(store.digests()) == [PHANTOM_SHA256]


def test_bytes_a_path_and_an_open_file_are_kept_alike(store: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "phantom.dcm"
    source.write_bytes(PHANTOM)

    with source.open("rb") as opened:
        kept = {store.put(PHANTOM), store.put(source), store.put(opened)}

    assert len(kept) == 1
    assert len(files_in(store)) == 1


def test_keeping_a_file_again_writes_nothing(store: BlobStore) -> None:
    store.put(PHANTOM)
    before = store.path(PHANTOM_SHA256).stat()

    store.put(PHANTOM)

    after = store.path(PHANTOM_SHA256).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_kept_file_cannot_be_opened_for_writing_by_a_slip(store: BlobStore) -> None:
    store.put(PHANTOM)

    assert store.path(PHANTOM_SHA256).stat().st_mode & 0o777 == 0o440


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        PHANTOM_SHA256.upper(),
        PHANTOM_SHA256 + "\n",
        PHANTOM_SHA256[:-1],
        "",
        "..",
        "\u0661" * 64,
    ],
)
def test_nothing_but_a_digest_leads_to_a_file(store: BlobStore, name: str) -> None:
    store.put(PHANTOM)

    with pytest.raises(NotFound, match="SHA-256"):
        store.path(name)


def test_a_link_planted_in_the_store_is_not_followed(store: BlobStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (store.root / "ab").mkdir(parents=True)
    (store.root / "ab" / ("c" * 62)).symlink_to(secret)

    with pytest.raises(NotFound):
        store.open("ab" + "c" * 62)


def test_an_altered_file_is_named_and_not_written_over(store: BlobStore) -> None:
    path = store.path(store.put(PHANTOM).sha256)
    path.chmod(0o600)
    path.write_bytes(b"a phantom of wax!!")

    with pytest.raises(DamagedBlob, match=PHANTOM_SHA256):
        store.open(PHANTOM_SHA256, verify=True)
    with pytest.raises(DamagedBlob, match="Put the original back from a backup"):
        store.put(PHANTOM)
    assert path.read_bytes() == b"a phantom of wax!!"
    assert [fault.where for fault in store.faults()] == [PHANTOM_SHA256]


def test_a_source_that_breaks_off_leaves_nothing(store: BlobStore) -> None:
    class BreaksOff:
        def __init__(self) -> None:
            self.left = 2

        def read(self, size: int) -> bytes:
            self.left -= 1
            if not self.left:
                raise ConnectionResetError("the sender went away")
            return b"x" * size

    with pytest.raises(ConnectionResetError):
        store.put(BreaksOff())  # type: ignore[arg-type]

    assert files_in(store) == []


def test_many_writers_of_one_file_keep_one_whole_copy(store: BlobStore) -> None:
    content = os.urandom(3_000_000)
    kept = []
    threads = [
        threading.Thread(target=lambda: kept.append(store.put(content).sha256)) for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(kept) == {hashlib.sha256(content).hexdigest()}
    assert len(kept) == 8
    assert len(files_in(store)) == 1


def test_a_killed_writer_leaves_no_half_file_under_a_digest(
    store: BlobStore,
) -> None:
    """Ten kills while 20 MB files are written: whatever has a digest for a name is whole."""
    program = (
        "import os, sys; from pathlib import Path; from core.blobs import BlobStore\n"
        "store = BlobStore(Path(sys.argv[1])); print('ready', flush=True)\n"
        "while True: store.put(os.urandom(20_000_000))"
    )

    for kill in range(10):
        writer = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", program, str(store.root)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        with writer.stdout:
            writer.stdout.readline()
            time.sleep(0.02 * kill)
            writer.send_signal(signal.SIGKILL)
        writer.wait()

    assert store.faults() == []
    store.sweep(older_than_s=-1)
    assert all(len(path.name) == 62 for path in files_in(store))


def test_the_sweep_spares_what_is_being_written(store: BlobStore) -> None:
    store.put(PHANTOM)
    (store.root / ".incoming-now").write_bytes(b"half")
    old = store.root / ".incoming-old"
    old.write_bytes(b"half")
    os.utime(old, (0, 0))

    assert store.sweep() == 1
    assert [path.name for path in files_in(store)] == [".incoming-now", PHANTOM_SHA256[2:]]


def test_a_row_is_kept_once_and_only_with_the_transaction(
    files_db: Database, store: BlobStore
) -> None:
    def keep_and_fail() -> None:
        with files_db.writing() as session:
            keep(session, store, PHANTOM, "application/dicom")
            raise RuntimeError("the transaction fails")

    with pytest.raises(RuntimeError):
        keep_and_fail()

    with files_db.reading() as session:
        assert session.execute(select(func.count()).select_from(Blob)).scalar_one() == 0
    with files_db.writing() as session:
        keep(session, store, PHANTOM, "application/dicom")
        again = keep(session, store, PHANTOM, "text/plain")
        assert (again.sha256, again.size, again.media_type) == (
            PHANTOM_SHA256,
            len(PHANTOM),
            "application/dicom",
        )
    with files_db.reading() as session:
        assert session.execute(select(func.count()).select_from(Blob)).scalar_one() == 1
