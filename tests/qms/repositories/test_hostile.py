"""Hostile input for remotes: refused by name wherever it comes in, and nothing is written."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select

from app.commands.console import say
from app.main import ROUTERS
from core.errors import Conflict, Invalid
from core.ledger.models import LedgerEntry
from core.people.tokens import ACT
from core.settings import Settings
from qms.repositories.addresses import parse_address
from qms.repositories.mirror import Mirror
from qms.repositories.models import Repository
from qms.repositories.scanning import scan_repository
from qms.repositories.service import address_of
from tests.programs import Program

pytestmark = pytest.mark.verifies("TST-027")

AT = "/p/RPM/repositories"
HOSTILE = {
    "ext::sh -c touch% /tmp/x": "GIT03",
    "ext://sh": "GIT03",
    "fd::17": "GIT03",
    "http://git.example.org/a": "GIT03",
    "--upload-pack=touch /tmp/x": "GIT02",
    "-oProxyCommand=x": "GIT02",
    "ssh://-oProxyCommand=x/a": "GIT05",
    "git@git.example.org:-oProxyCommand=x": "GIT02",
    "https://git.example.org/a\nb": "GIT01",
    "https://git.example.org/%2e%2e/a": "GIT04",
    "file:///etc": "GIT07",
    "file://localhost/etc": "GIT03",
    "/etc": "GIT07",
    "https://git.example.org/a": "GIT07",
    "git@git.example.org:a/b": "GIT07",
}
NAMES = ("--upload-pack=x", "../x", ".git", "a/b", "x\x1b[2J", "x" * 101)


def written(site) -> tuple[int, int, list[Path]]:
    """Count the repositories and the entries of the audit trail; list the folders of mirrors."""
    with site.db.reading() as session:
        rows, entries = (
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (Repository, LedgerEntry)
        )
    return rows, entries, sorted(site.settings.data_dir.glob("repositories/*"))


def test_a_hostile_address_name_or_revision_is_refused_by_page_and_program(
    new_site, source, words
) -> None:
    site = new_site(*ROUTERS)
    browser = site.browser("PPL-BT", "developer")
    program = Program(site.app, site.db, "PPL-BT", ACT)
    before = written(site)

    def sent(**fields: str) -> dict[str, str]:
        return {"csrf_token": "csrf-PPL-BT", **fields}

    for address, code in HOSTILE.items():
        page = browser.post(AT, data=sent(address=address))
        answer = program.post(f"/api{AT}", {"address": address})
        assert (page.status_code, answer.status_code) == (422, 422), address
        assert code in words(page), address
        assert [one["code"] for one in answer.json()["faults"]] == [code], address
    for name in NAMES:
        fields = {"address": str(source.folder), "name": name}
        page = browser.post(AT, data=sent(**fields))
        answer = program.post(f"/api{AT}", fields)
        assert (page.status_code, answer.status_code) == (422, 422), name
        assert "GIT09" in answer.text, name
    for body in ({"address": ["/etc"]}, {"address": None}, {"address": {"url": "x"}}, ["x"], 7):
        assert program.post(f"/api{AT}", body).status_code == 422, body
    assert written(site) == before

    head = source.add("One")
    browser.post(AT, data=sent(address=str(source.folder), name="x"))
    scan_repository(site.db, site.settings, 1)
    for name in ("--output=x", "HEAD", "a" * 39, "../../etc"):
        assert browser.get(f"{AT}/x/commits/{name}").status_code == 404, name
        assert browser.get(f"{AT}/x/commits/{name}/file?path=a").status_code == 404, name
    for path in ("--output=x", "../../etc/passwd", "/etc/passwd"):
        assert browser.get(f"{AT}/x/commits/{head}/file?path={path}").status_code == 404, path


def doors(allowed: Path, outside: Path) -> Iterator[tuple[str, Path]]:
    """Make folders below the allowed one that lead out of it, each in another way."""
    link = allowed / "link"
    link.symlink_to(outside)
    yield "a link", link
    written_file = allowed / "gitfile"
    written_file.mkdir()
    (written_file / ".git").write_text(f"gitdir: {outside}/.git\n")
    yield "a .git file", written_file
    for name, file, text in (
        ("commondir", "commondir", f"{outside}/.git\n"),
        ("alternates", "objects/info/alternates", f"{outside}/.git/objects\n"),
    ):
        made = allowed / f"{name}.git"
        (made / "objects" / "info").mkdir(parents=True)
        (made / "refs").mkdir()
        (made / "HEAD").write_text("ref: refs/heads/main\n")
        (made / file).write_text(text)
        yield name, made
    borrowing = allowed / "second.git"
    (borrowing / "objects" / "info").mkdir(parents=True)
    borrowed = allowed / "alternates.git" / "objects"
    (borrowing / "objects" / "info" / "alternates").write_text(f"{borrowed}\n")
    yield "alternates of alternates", borrowing
    linked = allowed / "linked.git"
    linked.mkdir()
    (linked / "objects").symlink_to(outside / ".git" / "objects")
    yield "linked objects", linked


def test_a_folder_that_is_a_door_to_another_is_refused(tmp_path: Path, new_source) -> None:
    outside = new_source()
    outside.add("Secret")
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    settings = Settings(data_dir=tmp_path / "var", repository_sources=[str(allowed)])

    for how, place in doors(allowed, outside.folder):
        with pytest.raises(Invalid) as refusal:
            address_of(str(place), settings)
        assert [fault.code for fault in refusal.value.faults] == ["GIT07"], how


def test_a_folder_that_became_a_link_is_refused_at_the_next_scan(registered, source) -> None:
    source.add("One")
    number = registered.register(source)
    registered.scan(number)
    source.folder.rename(source.folder.with_name("moved"))
    source.folder.symlink_to("/etc")

    with pytest.raises(Invalid) as refusal:
        registered.scan(number)

    assert [fault.code for fault in refusal.value.faults] == ["GIT07"]


def test_nothing_that_a_source_repository_configures_is_run(
    registered, source, tmp_path: Path
) -> None:
    """Hooks, a monitor of files, programs that pack or fetch, submodules, hostile refs."""
    mark = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    head = source.add("One\n\nImplements: REQ-001")
    with source.repo.config_writer() as config:
        config.set_value("core", "fsmonitor", str(program))
        config.set_value("core", "sshCommand", str(program))
        config.set_value("core", "alternateRefsCommand", str(program))
        config.set_value("uploadpack", "packObjectsHook", str(program))
        config.set_value('remote "origin"', "url", f"ext::{program}")
        config.set_value('remote "origin"', "promisor", "true")
        config.set_value('remote "origin"', "uploadpack", str(program))
        config.set_value("extensions", "partialClone", "origin")
    for hook in ("post-checkout", "pre-push", "reference-transaction", "post-index-change"):
        (source.folder / ".git" / "hooks" / hook).write_text(program.read_text())
        (source.folder / ".git" / "hooks" / hook).chmod(0o755)
    modules = f'[submodule "x"]\n\tpath = x\n\turl = ext::{program}\n'.encode()
    source.feed(
        f"commit refs/heads/{source.branch}\ncommitter A <a@example.org> 1800000000 +0000\n"
        f"data 7\nModules\nfrom refs/heads/{source.branch}^0\n".encode()
        + b"M 100644 inline .gitmodules\ndata %d\n%s\nM 160000 %s x\n"
        % (len(modules), modules, head.encode())
    )
    mark.unlink(missing_ok=True)  # what was written above may have set it off
    for name in ("refs/heads/--output=x", "refs/tags/-oProxyCommand=x"):
        packed = source.folder / ".git" / "packed-refs"
        packed.write_text((packed.read_text() if packed.exists() else "") + f"{head} {name}\n")

    report = registered.scan(registered.register(source, "rpm"))

    assert report.commits == 2
    assert report.linked == 1
    assert not mark.exists()
    assert not Path("x").exists()


@pytest.fixture
def redirecting(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Give an https server that sends everybody elsewhere, and what was asked of it."""
    asked: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", self.path.replace("/git/", "/elsewhere/"))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    certificate = _certificate(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Redirecting)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/git/rpm", asked
    server.shutdown()
    server.server_close()


def _certificate(folder: Path) -> Path:
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, None)
    )
    file = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file


def test_a_redirect_is_not_followed(
    redirecting: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = redirecting
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")

    with pytest.raises(Conflict):
        Mirror(tmp_path / "m.git").fetch(parse_address(address))

    assert asked
    assert [path for path in asked if "elsewhere" in path] == []


def test_a_commit_s_words_do_not_move_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say(None, False, "rpm 1234 \x1b[2J\x1b]0;owned\x07Title\nnext\tline \u202e reversed")

    told = capsys.readouterr().out

    assert "\x1b" not in told
    assert "\x07" not in told
    assert "\u202e" not in told
    assert "Title\nnext" in told
