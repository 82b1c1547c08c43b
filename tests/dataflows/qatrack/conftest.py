"""The peer, and a real server where one is named."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflows.qatrack.client import Limits, Server
from tests.dataflows.qatrack.peer import TOKEN, Peer, serving

REAL_ADDRESS = os.environ.get("FIDUCIAL_QATRACK_URL", "")
REAL_TOKEN = os.environ.get("FIDUCIAL_QATRACK_TOKEN", "")
"""A real QATrack+ 3.1 to run the same tests against, and a token that reads it."""


@pytest.fixture
def peer(reference_data: Path) -> Iterator[Peer]:
    folder = reference_data / "qatrack"
    if not folder.is_dir():
        pytest.skip(f"the recorded answers of QATrack+ are not at {folder}")
    with serving(Peer(folder)) as one:
        yield one


@pytest.fixture
def server(peer: Peer) -> Server:
    """The peer as the product asks it, without patience."""
    limits = Limits(silence_s=5.0, answer_s=5.0, largest=200_000)
    return Server(peer.address, TOKEN, limits, pause=lambda _: None)


@pytest.fixture(params=["peer", "real"])
def either(request: pytest.FixtureRequest) -> Server:
    """The peer, and then the real server, for what both must satisfy."""
    if request.param == "peer":
        found: Server = request.getfixturevalue("server")
        return found
    if not (REAL_ADDRESS and REAL_TOKEN):
        pytest.skip("no real QATrack+ is named (FIDUCIAL_QATRACK_URL, FIDUCIAL_QATRACK_TOKEN)")
    return Server(REAL_ADDRESS.rstrip("/"), REAL_TOKEN)
