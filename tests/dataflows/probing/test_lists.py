"""Destination lists are read whole, or every fault is named with its line."""

import json

import pytest

from core.errors import Invalid
from dataflows.probing.lists import Destination, read_list

PACS = Destination("PACS", "PACS_ARC", "192.0.2.11", 104, 2)


def faults_of(content: bytes) -> list[str]:
    with pytest.raises(Invalid) as refused:
        read_list(content, "list")
    return [f"{fault.where} {fault.what}" for fault in refused.value.faults]


@pytest.mark.parametrize(
    "content",
    [
        b"Name,AE title,Host,Port\nPACS,PACS_ARC,192.0.2.11,104\n",
        "\ufeffport;ip address;AET;description\r\n104;192.0.2.11;PACS_ARC;PACS\r\n".encode(),
        b"ae_title\thost\tport\tname\nPACS_ARC\t192.0.2.11\t104\tPACS\n",
        b'{\n"PACS": ["PACS_ARC", "192.0.2.11", 104]}',
        b'{"DicomModalities": {\n\t"PACS": ["PACS_ARC", "192.0.2.11", 104, "GenericNoWildcard"]}}',
        b'{\n"PACS": {"AET": "PACS_ARC", "Host": "192.0.2.11", "Port": 104, "AllowMove": true}}',
        b'[\n{"name": "PACS", "aeTitle": "PACS_ARC", "host": "192.0.2.11", "port": "104"}]',
    ],
)
def test_what_systems_export_is_read(content: bytes) -> None:
    assert read_list(content, "list") == (PACS,)


def test_every_fault_of_a_csv_is_named_with_its_line() -> None:
    content = (
        b"ae,host,port\n"
        b"GOOD,192.0.2.1,104\n"
        b"\n"
        b",192.0.2.2,104\n"
        b"TOO_LONG_FOR_A_TITLE,a host,0\n"
        b"SHORT,192.0.2.3\n"
        b"WIDE,192.0.2.4,104,more\n"
        b"GOOD,192.0.2.1,104\n"
    )

    assert faults_of(content) == [
        "list:7 has more cells than there are headings.",
        "list:4 '' is no AE title.",
        "list:5 'TOO_LONG_FOR_A_TITLE' is no AE title.",
        "list:5 'a host' is no host.",
        "list:5 '0' is no port.",
        "list:6 '' is no port.",
        "list:8 GOOD at 192.0.2.1:104 stands in line 2 already.",
    ]


def test_every_fault_of_a_json_is_named_with_its_line() -> None:
    content = b"""{
  "A": ["A", "192.0.2.1", 70000],
  "B": ["B"],
  "C": "C",
  "D": {"AET": "D", "Host": "", "Port": 104}
}"""

    assert faults_of(content) == [
        "list:3 'B' is no destination.",
        "list:4 'C' is no destination.",
        "list:2 '70000' is no port.",
        "list:5 '' is no host.",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n",
        b"{}",
        b"[]",
        b"{",
        b"[1]",
        b"\xff\xfe",
        b"no,such,columns\n1,2,3\n",
        b"x" * 600_000,
    ],
)
def test_what_is_no_list_is_refused(content: bytes) -> None:
    assert faults_of(content)


def test_a_list_that_nobody_wrote_is_refused() -> None:
    many = {f"D{n}": ["D", f"10.0.{n // 256}.{n % 256}", 104] for n in range(2001)}

    assert faults_of(json.dumps(many).encode()) == ["list names more than 2000 destinations."]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"AE Title,Host,IP Address,Port\nPACS,pacs.example.org,192.0.2.11,104\n",
            ["list:1 says the host twice: Host and IP Address."],
        ),
        (
            b"\nTitle;AE Title;Port;port\nA;B;104;105\n",
            [
                "list:2 says the AE title twice: Title and AE Title.",
                "list:2 says the port twice: Port and port.",
                "list:2 has no column for host.",
            ],
        ),
        (
            b'[\n["A", "h", 104],\n{"AET": "A", "Title": "B", "Host": "h", "Port": 104}]',
            ["list:3 says the AE title twice: AET and Title."],
        ),
    ],
)
def test_what_is_said_twice_is_not_guessed(content: bytes, told: list[str]) -> None:
    assert faults_of(content) == told
