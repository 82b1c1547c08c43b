"""One small pack, built once, and the keys of its maker and of a stranger."""

from pathlib import Path

import pytest

from core.signing.keys import SigningKey
from tests.validation.pack.synthetic import make_contents
from validation.pack.build import build_pack


@pytest.fixture(scope="session")
def maker() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(scope="session")
def stranger() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(scope="session")
def pack(tmp_path_factory, maker: SigningKey) -> Path:
    contents, evidence = make_contents(1, 1)
    return build_pack(contents, evidence, maker, tmp_path_factory.mktemp("pack") / "pack.zip")


@pytest.fixture(scope="session")
def key_file(tmp_path_factory, maker: SigningKey) -> Path:
    path = tmp_path_factory.mktemp("maker") / "maker.pub.pem"
    path.write_bytes(maker.public.to_pem())
    return path


@pytest.fixture(scope="session")
def other_key_file(tmp_path_factory, stranger: SigningKey) -> Path:
    path = tmp_path_factory.mktemp("stranger") / "stranger.pub.pem"
    path.write_bytes(stranger.public.to_pem())
    return path
