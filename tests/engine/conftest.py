"""Shared by the engine's tests: one reading child for all of them."""

from collections.abc import Iterator

import pytest

from engine.dicom.sandbox import Reader


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    with Reader() as child:
        yield child
