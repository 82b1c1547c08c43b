"""A QATrack+ server is believed only where its certificate is trusted."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dataflows.qatrack.client import Server, Unreadable
from dataflows.qatrack.reading import try_server
from tests.dataflows.qatrack.peer import TOKEN, Peer, serving

pytestmark = pytest.mark.verifies("TST-017")

LONDON = ZoneInfo("Europe/London")
LOOPBACK = ip_address("127.0.0.1")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that only who is told of it trusts, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    place = tmp_path / "peer.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    place.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return place


def test_a_certificate_counts_only_where_its_authority_is_trusted(
    recorded: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(Peer(recorded), context) as peer:
        with pytest.raises(Unreadable, match="certificate of the server is not accepted"):
            try_server(Server(peer.address, TOKEN), LONDON)
        assert peer.tokens == []

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert "the token reads" in try_server(Server(peer.address, TOKEN), LONDON)
