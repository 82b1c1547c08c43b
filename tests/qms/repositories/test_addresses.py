"""A hostile address is refused by its named code before Git ever sees it."""

import pytest

from core.errors import Invalid
from qms.repositories.addresses import Address, Transport, check_allowed, parse_address

pytestmark = pytest.mark.verifies("TST-027")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "GIT01"),
        ("   ", "GIT01"),
        ("https://git.example.org/a\nb", "GIT01"),
        ("/srv/git/a\x00b", "GIT01"),
        ("https://git.example.org/" + "a" * 1000, "GIT01"),
        ("--upload-pack=touch /tmp/x", "GIT02"),
        ("-u", "GIT02"),
        ("/srv/git/--upload-pack=x", "GIT02"),
        ("https://git.example.org/-x/y", "GIT02"),
        ("ext::sh -c touch% /tmp/x", "GIT03"),
        ("fd::17", "GIT03"),
        ("ext://sh", "GIT03"),
        ("http://git.example.org/a", "GIT03"),
        ("git://git.example.org/a", "GIT03"),
        ("ftp://git.example.org/a", "GIT03"),
        ("relative/path", "GIT03"),
        ("C:\\repositories\\a", "GIT03"),
        ("/srv/git/../../etc", "GIT04"),
        ("file:///srv/git/%2e%2e/etc", "GIT04"),
        ("https://git.example.org/physics/../secret", "GIT04"),
        ("git@git.example.org:../secret", "GIT04"),
        ("/", "GIT05"),
        ("https://", "GIT05"),
        ("https://git.example.org", "GIT05"),
        ("https://git.example.org:port/a", "GIT05"),
        ("https://git.example.org/a?b=c", "GIT05"),
        ("https://git.example.org/a%0ab", "GIT05"),
        ("https://git.example.org/a;touch x", "GIT05"),
        ("ssh://-oProxyCommand=x/a", "GIT05"),
        ("ssh://-oProxyCommand=x@git.example.org/a", "GIT05"),
        ("https://ada:secret@git.example.org/a", "GIT06"),
        ("https://token@git.example.org/a", "GIT06"),
        ("ssh://git:secret@git.example.org/a", "GIT06"),
    ],
)
def test_a_hostile_address_is_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_address(text)

    assert [fault.code for fault in refusal.value.faults] == [code]
    assert "secret@" not in refusal.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/srv/git/rpm.git", Address(Transport.LOCAL, "/srv/git/rpm.git", "rpm")),
        ("/srv/git/with space/", Address(Transport.LOCAL, "/srv/git/with space", "with space")),
        ("file:///srv/git/rpm", Address(Transport.LOCAL, "/srv/git/rpm", "rpm")),
        (
            " https://Git.Example.org:8443/physics/rpm.git/ ",
            Address(Transport.HTTPS, "https://git.example.org:8443/physics/rpm.git", "rpm"),
        ),
        (
            "ssh://git@git.example.org:2222/physics/rpm",
            Address(Transport.SSH, "ssh://git@git.example.org:2222/physics/rpm", "rpm"),
        ),
        (
            "git@git.example.org:physics/rpm.git",
            Address(Transport.SSH, "ssh://git@git.example.org/physics/rpm.git", "rpm"),
        ),
    ],
)
def test_an_ordinary_address_is_read_in_one_form(text: str, expected: Address) -> None:
    assert parse_address(text) == expected


SOURCES = ("/srv/git", "https://git.example.org/physics/", "ssh://git@git.example.org")


@pytest.mark.parametrize(
    "text",
    [
        "/srv/git/rpm",
        "https://git.example.org/physics/rpm",
        "git@git.example.org:anything/rpm",
    ],
)
def test_an_address_below_an_allowed_source_is_let_through(text: str) -> None:
    check_allowed(parse_address(text), SOURCES)


@pytest.mark.parametrize(
    "text",
    [
        "/srv/gitlab/rpm",
        "/srv",
        "/etc",
        "https://git.example.org.evil.org/physics/rpm",
        "https://git.example.org/physicsX/rpm",
        "https://git.example.org:8443/physics/rpm",
        "ssh://git@git.example.org:2222/rpm",
        "ssh://root@git.example.org/rpm",
        "ssh://git.example.org/srv/git/rpm",
    ],
)
def test_an_address_beside_an_allowed_source_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_allowed(parse_address(text), SOURCES)

    assert [fault.code for fault in refusal.value.faults] == ["GIT07"]


def test_a_link_inside_an_allowed_folder_is_judged_by_where_it_leads() -> None:
    with pytest.raises(Invalid):
        check_allowed(parse_address("/srv/git/link"), SOURCES, resolved="/etc/secret")


def test_nothing_is_allowed_when_no_source_is_set() -> None:
    with pytest.raises(Invalid):
        check_allowed(parse_address("/srv/git/rpm"), ())
