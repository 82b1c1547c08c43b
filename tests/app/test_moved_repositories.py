"""The Git repositories of a project arrive with every branch, tag and note, or not at all."""

import os
import zipfile
from pathlib import Path

import pytest
from git import Repo
from sqlmodel import select

from core.archive.bringing import Wish
from core.archive.shape import PROJECT_ARCHIVE
from core.canonical import read_json
from core.errors import Conflict
from core.safekeeping.archives import MANIFEST, ArchiveWriter
from qms.repositories.mirror import Mirror
from qms.repositories.models import Repository
from qms.repositories.service import mirror_in
from tests.app.moved import House, Source, empty_house, forged, members_of, refused
from tests.app.test_forged_archives import flipped

pytestmark = pytest.mark.verifies("TST-044")

NAMES = (
    "refs/heads/fix=dose", "refs/heads/release,1", "refs/heads/fix(dose)", "refs/heads/a!b",
    "refs/heads/50%", "refs/heads/it's", "refs/heads/Prüfung/β", "refs/heads/plain",
    "refs/heads/tmp_dose", "refs/heads/hooks/fix",
    "refs/tags/v1.0;rc&1", "refs/notes/fiducial",
)  # fmt: skip
UNSOUND = ["repositories/1.git: is no sound Git repository."]


def mirror_of(house: House) -> Mirror:
    with house.database.reading() as session:
        [number] = session.exec(select(Repository.id)).all()
    return mirror_in(house.settings.data_dir, number or 0)


def references(mirror: Mirror) -> dict[str, str]:
    """Return what every reference of a mirror names."""
    with Repo(mirror.path) as repo:
        told = str(repo.git.for_each_ref("--format=%(refname) %(objectname)"))
    return dict(line.split(" ") for line in told.splitlines())


def test_every_name_that_git_allows_arrives(source: Source, empty: House, tmp_path: Path) -> None:
    mirror = mirror_of(source.house)
    with Repo(mirror.path) as repo:
        for name in NAMES:
            repo.git.update_ref(name, repo.head.commit.hexsha)
        repo.git.symbolic_ref("HEAD", NAMES[0])

    made = source.house.export(tmp_path / "both.zip", "RPM", "SIDE")
    empty.bring(tmp_path / "both.zip")

    assert made.faults == ()
    assert set(NAMES) < set(references(mirror))
    assert references(mirror_of(empty)) == references(mirror)
    assert mirror_of(empty).default_branch() == "fix=dose"


@pytest.mark.parametrize("name", [b"caf\xe9", "no\u00a0break".encode(), b"tab\there"])
def test_a_reference_that_cannot_go_along_is_told_and_not_left_out_in_silence(
    source: Source, empty: House, tmp_path: Path, name: bytes
) -> None:
    mirror = mirror_of(source.house)
    with Repo(mirror.path) as repo:
        commit = repo.head.commit.hexsha
    odd = Path(os.fsdecode(os.fsencode(mirror.path / "refs/heads") + b"/" + name))
    odd.write_text(f"{commit}\n")

    made = source.house.export(tmp_path / "both.zip", "RPM", "SIDE")
    odd.unlink()

    [fault] = made.faults
    assert fault.where.startswith("repositories/1.git/refs/heads/")
    assert "is no branch, tag or note that an archive can hold" in fault.what
    assert "At the source" in refused(empty, tmp_path / "both.zip")[0]


def damaged(source: Source, target: Path) -> Path:
    """Write the archive anew with a Git object that is not what it was."""
    name = next(one for one in members_of(source.archive) if "1.git/objects/" in one)
    return forged(source.archive, target, {name: flipped})


def tangled(source: Source, target: Path, *names: str) -> Path:
    """Write the archive anew with references that get in each other's way."""
    with Repo(mirror_of(source.house).path) as repo:
        commit = repo.head.commit.hexsha
    with zipfile.ZipFile(source.archive) as opened, zipfile.ZipFile(target, "w") as out:
        stated = read_json(opened.read(MANIFEST))
        writer = ArchiveWriter(out, kind=PROJECT_ARCHIVE)
        for name in stated["members"]:
            writer.add_pieces(name, [opened.read(name)])
        for name in names:
            writer.add_pieces(f"repositories/1.git/{name}", [f"{commit}\n".encode()])
        kept = {one: stated[one] for one in stated if one not in ("members", "folders", "format")}
        kept["source"] |= {"fingerprint": "", "public_key": ""}
        writer.close_with(kept)
    return target


@pytest.mark.parametrize("wish", [Wish(), Wish(dry_run=True)])
def test_a_repository_that_is_not_sound_is_refused_when_it_is_tried_and_when_it_is_kept(
    source: Source, empty: House, tmp_path: Path, wish: Wish
) -> None:
    below, above, deep = "refs/heads/a/b", "refs/heads/a", "refs/heads/a/b/c"
    before = sorted(empty.settings.data_dir.iterdir())

    assert refused(empty, damaged(source, tmp_path / "d.zip"), wish) == UNSOUND
    for names in ((above, below), (above, deep)):
        archive = tangled(source, tmp_path / f"{len(list(tmp_path.iterdir()))}.zip", *names)
        assert refused(empty, archive, wish) == UNSOUND, names
    left = {one.name for one in set(empty.settings.data_dir.iterdir()) - set(before)}
    assert left <= {"repositories"}


@pytest.mark.parametrize("name", ["refs/heads/" + "n" * 256, "refs/heads/" + "n/" * 600 + "n"])
def test_a_reference_that_no_file_system_takes_is_refused_by_its_name(
    source: Source, empty: House, tmp_path: Path, name: str
) -> None:
    [fault] = refused(empty, tangled(source, tmp_path / "long.zip", name))

    assert fault.startswith(f"repositories/1.git/{name}")
    assert "is no object and no reference" in fault


def test_a_folder_that_is_in_the_way_is_told_when_it_is_tried(
    source: Source, empty_sqlite: Path, tmp_path: Path
) -> None:
    house = empty_house(tmp_path / "var", empty_sqlite)
    (house.settings.data_dir / "repositories" / "1.git").mkdir(parents=True)

    with pytest.raises(Conflict, match="move it away"):
        house.bring(source.archive, Wish(dry_run=True))
    house.database.engine.dispose()
