"""What was signed before a project moved is told as it was signed, in whatever order it arrived."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import col, select

from core.ledger.chain import append, head
from core.ledger.models import LedgerEntry
from core.records import approval
from core.records.content import Content, LinkDraft
from core.records.issues import move
from core.records.service import (
    create_record,
    edit_token,
    find_project,
    find_record,
    latest_revision,
)
from core.records.snapshot import Key
from core.signing.keys import load_key
from qms.baselines.service import baselines_of
from qms.releases.elsewhere import SEALED
from qms.releases.sealing import Held, held_against
from qms.releases.seals import Seal
from tests.app.moved import NEED, House, Source, approve, source_house
from validation.pack.frozen import FinalSignature, final_signature, snapshot_at

pytestmark = pytest.mark.verifies("TST-044")

SIGNED = "UN-050"
"""A need of RPM, whose final signature stands for that of a release here."""


@pytest.fixture(scope="module")
def worked_on(empty_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """Issues of SIDE are moved before and after somebody signs in RPM."""
    source = source_house(tmp_path_factory.mktemp("source"), empty_sqlite)
    ada = source.office.staff["PPL-AK"]
    with source.office.writing() as session:
        side = find_project(session, "SIDE")
        create_record(session, side, "person", Content("Amara Kole"), ada, uid="PPL-901")
        fields = {"found_in": "1.0", "severity": "minor", "safety_relevant": False}
        said = Content("It fails", "It does.", fields, (LinkDraft("evaluated_by", "PPL-901"),))
        for uid in ("PR-001", "PR-002"):
            create_record(session, side, "problem", said, ada, uid=uid)
        create_record(
            session, source.office.project(session), "user_need", Content("N", "W.", NEED), ada,
            uid=SIGNED,
        )  # fmt: skip
    moved(source, "PR-001", "assessed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(approval.ports, "training", lambda *_: ())
        approve(source.office, SIGNED)
    moved(source, "PR-001", "in_work")
    moved(source, "PR-002", "assessed")
    yield source
    source.house.database.engine.dispose()


def moved(source: Source, uid: str, to: str) -> None:
    with source.office.writing() as session:
        issue = find_record(session, find_project(session, "SIDE"), uid)
        read = edit_token(latest_revision(session, issue))
        move(session, issue, to, source.office.staff["PPL-AK"], "So.", read)


def signed_in(house: House) -> FinalSignature:
    with house.database.reading() as session:
        project = find_project(session, "RPM")
        return final_signature(session, project, find_record(session, project, SIGNED))


def states(house: House) -> dict[str, str]:
    """Return where the issues stood at the final signature."""
    with house.database.reading() as session:
        snapshot = snapshot_at(session, ["RPM", "SIDE"], signed_in(house))
    return {uid: snapshot.records[Key("SIDE", uid)].state for uid in ("PR-001", "PR-002")}


@pytest.mark.parametrize("archives", [[("RPM", "SIDE")], [("SIDE",), ("RPM",)]])
def test_an_issue_of_a_linked_project_stands_where_it_stood_whichever_came_first(
    worked_on: Source, empty: House, tmp_path: Path, archives: list[tuple[str, ...]]
) -> None:
    for keys in archives:
        worked_on.house.export(tmp_path / f"{keys[0]}.zip", *keys)
        empty.bring(tmp_path / f"{keys[0]}.zip")

    assert states(worked_on.house) == {"PR-001": "assessed", "PR-002": "open"}
    assert states(empty) == states(worked_on.house)


def test_the_final_signature_names_an_entry_of_this_trail_and_when_it_was_written(
    worked_on: Source, empty: House, tmp_path: Path
) -> None:
    worked_on.house.export(tmp_path / "both.zip", "RPM", "SIDE")
    empty.bring(tmp_path / "both.zip")

    there, here = signed_in(worked_on.house), signed_in(empty)

    assert (here.at, here.until) == (there.at, there.until)
    assert there.written == there.until
    assert here.written > here.until
    for house, signed in ((worked_on.house, there), (empty, here)):
        with house.database.reading() as session:
            query = select(LedgerEntry).where(col(LedgerEntry.seq) == signed.seq)
            entry = session.exec(query).one()
            assert (entry.hash, entry.at) == (signed.hash, signed.written)


def sealed_at(source: Source) -> Seal:
    """Record that a release was sealed, as `git seal` does, and return what it wrote."""
    key = load_key(source.house.settings.data_dir)
    with source.office.writing() as session:
        project, last = source.office.project(session), head(session)
        root = baselines_of(session, project)[0].root
        seal = Seal("RPM", "REL-1", "1", "c" * 40, 1, root, last.seq, last.hash, key.fingerprint)
        said = {"commit": seal.commit, "root": root, "seq": seal.seq, "head": seal.head}
        append(session, SEALED, source.office.staff["PPL-EQ"], project.id, "REL-1", said)
    return replace(seal, signature=key.sign(seal.body.encode()))


def test_only_the_very_seal_that_the_trail_brought_along_agrees(
    worked_on: Source, empty: House, tmp_path: Path
) -> None:
    seal = sealed_at(worked_on)
    worked_on.house.export(tmp_path / "both.zip", "RPM", "SIDE")
    empty.bring(tmp_path / "both.zip")
    ours = load_key(empty.settings.data_dir)
    expected = replace(seal, seq=0, head="", key=ours.fingerprint)
    others = [
        replace(seal, seq=seal.seq - 1),
        replace(seal, head="a" * 64),
        replace(seal, key="b" * 64),
        replace(seal, commit="d" * 40),
        replace(seal, version="2"),
    ]
    mine = replace(seal, key=ours.fingerprint)
    others.append(replace(mine, signature=ours.sign(mine.body.encode())))

    with empty.database.reading() as session:
        project = find_project(session, "RPM")
        same, *held = (
            held_against(session, project, one.text, "a tag", expected, ours.public)
            for one in (seal, *others)
        )

    assert same == Held((), elsewhere=True)
    assert all(one.differing for one in held)
    assert "it was made anew" in held[-1].differing[-1], "our own key answers to our own trail"
