"""Which hosts may be probed."""

import pytest

from core.errors import Invalid
from dataflows.probing.allowed import AllowList, Leave

pytestmark = pytest.mark.verifies("TST-018")


def test_without_a_setting_nothing_may_be_probed() -> None:
    nobody = AllowList.read([])

    assert not nobody
    assert nobody.leave("127.0.0.1") is Leave.NO
    assert nobody.leave("pacs.example.org") is Leave.NO
    assert not nobody.permits("127.0.0.1", "127.0.0.1")


@pytest.mark.parametrize(
    ("host", "leave"),
    [
        ("192.0.2.11", Leave.YES),
        ("192.0.3.11", Leave.NO),
        ("::ffff:192.0.2.11", Leave.YES),
        ("[2001:db8::1]", Leave.YES),
        ("2001:db9::1", Leave.NO),
        ("PACS.example.org.", Leave.YES),
        ("pacs.example.org.evil.test", Leave.BY_ADDRESS),
        ("3221225995", Leave.BY_ADDRESS),
    ],
)
def test_a_host_is_judged_by_its_name_before_it_is_resolved(host: str, leave: Leave) -> None:
    allowed = AllowList.read(["192.0.2.0/24", "2001:db8::/32", "pacs.example.org"])

    assert allowed.leave(host) is leave


@pytest.mark.parametrize(
    ("host", "address", "permitted"),
    [
        ("pacs.example.org", "198.51.100.7", True),
        ("pacs.example.org", "127.0.0.1", False),
        ("pacs.example.org", "::1", False),
        ("pacs.example.org", "::ffff:127.0.0.1", False),
        ("pacs.example.org", "169.254.169.254", False),
        ("pacs.example.org", "0.0.0.0", False),  # noqa: S104 - judged, not bound
        ("other.example.org", "198.51.100.7", False),
        ("other.example.org", "192.0.2.11", True),
        ("other.example.org", "::ffff:192.0.2.11", True),
        ("3221225995", "192.0.2.11", True),
        ("3221225995", "192.0.3.11", False),
        ("pacs.example.org", "no address", False),
    ],
)
def test_the_address_that_a_name_stands_for_is_judged_again(
    host: str, address: str, permitted: bool
) -> None:
    allowed = AllowList.read(["192.0.2.0/24", "pacs.example.org"])

    assert allowed.permits(host, address) is permitted


def test_this_machine_is_probed_only_where_it_is_named_by_address() -> None:
    assert AllowList.read(["127.0.0.0/8"]).permits("localhost", "127.0.0.1")
    assert not AllowList.read(["localhost"]).permits("localhost", "127.0.0.1")


def test_every_entry_that_is_no_host_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        AllowList.read(["pacs.example.org", "http://pacs", "192.0.2.0/33", "", "a b"])

    assert [fault.what.split(" is ")[0] for fault in refused.value.faults] == [
        "'http://pacs'",
        "'192.0.2.0/33'",
        "''",
        "'a b'",
    ]
