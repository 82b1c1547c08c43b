"""Whether a seal is one of the installation that a project came from."""

from dataclasses import replace

import pytest

from core.canonical import canonical_json
from core.ledger import append
from core.ledger.brought import PREFIX
from qms.releases.elsewhere import SEALED, sealed_elsewhere
from qms.releases.seals import Seal
from tests.conftest import Office

pytestmark = pytest.mark.verifies("TST-044")

THEN, LATER = "a" * 64, "b" * 64
SEAL = Seal(
    product="RPM", release="REL-1", version="1.0.0", commit="c" * 40, baseline=1, root="d" * 64,
    seq=53, head="e" * 64, key=THEN,
)  # fmt: skip
SAID = {"commit": SEAL.commit, "root": SEAL.root, "seq": SEAL.seq, "head": SEAL.head}


@pytest.mark.parametrize(
    ("action", "exported_with", "said", "ours"),
    [
        (PREFIX + SEALED, THEN, SAID, True),
        # The key was renewed between the seal and the export: the entry names the one of the seal.
        (PREFIX + SEALED, LATER, {**SAID, "key": THEN}, True),
        (PREFIX + SEALED, LATER, SAID, False),
        (PREFIX + SEALED, THEN, {**SAID, "key": LATER}, False),
        (PREFIX + SEALED, THEN, {**SAID, "head": "f" * 64}, False),
        (SEALED, "", {**SAID, "key": THEN}, False),
    ],
)
def test_the_entry_that_came_along_vouches_for_a_seal(
    office: Office, action: str, exported_with: str, said: dict[str, object], ours: bool
) -> None:
    kept = {
        "at": "2026-11-01T10:00:00Z", "person_name": "Amara Kole", "action": SEALED,
        "subject": "REL-1", "data": canonical_json(said).decode(),
    }  # fmt: skip
    data = {"of": exported_with, "entry": kept} if action != SEALED else said
    with office.writing() as session:
        project = office.project(session)
        append(session, action, None, project_id=project.id, subject="REL-1", data=data)

        assert sealed_elsewhere(session, project, SEAL) is ours
        assert not sealed_elsewhere(session, project, replace(SEAL, release="REL-2"))
