"""XML of strangers: lines and names are told, and what could cost or fetch anything is refused."""

import pytest

from core.located_xml import Limits, Trouble, UnreadableXml, read_xml

SMALL = Limits(deepest=3, elements=5, text=4)

FETCHES = b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>'
EXPANDS = b'<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'


def refusal(content: bytes) -> tuple[Trouble, int]:
    with pytest.raises(UnreadableXml) as caught:
        read_xml(content, SMALL)
    return caught.value.trouble, caught.value.line


def test_elements_know_their_lines_and_lose_their_prefixes() -> None:
    root = read_xml(b'<x:A xmlns:x="urn:x" x:id=" 1 ">\n<x:b>one</x:b>\n<c/>\n</x:A>', SMALL)

    assert (root.name, root.line, root.attributes) == ("A", 1, {"id": " 1 "})
    assert root.get("id") == "1"
    assert root.get("xmlns") == ""
    assert [(one.name, one.line, one.text()) for one in root.elements()] == [
        ("b", 2, "one"),
        ("c", 3, ""),
    ]


def test_names_are_spelt_as_is_asked_and_a_prefix_hides_nothing() -> None:
    one = read_xml(b'<A Result="failed" q:result="passed" q:Status="run"/>', SMALL, spelt=str.lower)

    assert (one.name, one.attributes) == ("a", {"result": "failed", "status": "run"})

    with pytest.raises(UnreadableXml, match="Line 2 spells one attribute in two ways"):
        read_xml(b'<A>\n<b result="failed" Result="passed"/></A>', SMALL, spelt=str.lower)


def test_text_is_kept_between_elements_and_no_longer_than_is_allowed() -> None:
    one = read_xml(b"<a>123<b/>456</a>", SMALL)

    assert [child if isinstance(child, str) else child.name for child in one.children] == [
        "123",
        "b",
        "4",
    ]


@pytest.mark.parametrize(
    ("content", "trouble", "line"),
    [
        (b"<a>\n<b></a>", Trouble.MALFORMED, 2),
        (b"", Trouble.MALFORMED, 1),
        (b"<a>&gone;</a>", Trouble.MALFORMED, 1),
        (b'<?xml version="1.0" encoding="nothing"?><a/>', Trouble.ENCODING, 1),
        (FETCHES, Trouble.DECLARES, 1),
        (EXPANDS, Trouble.DECLARES, 2),
        (EXPANDS.decode().encode("utf-16"), Trouble.DECLARES, 2),
        (b"<a>\n" * 4, Trouble.TOO_MUCH, 4),
        (b"<a>" + b"\n<b/>" * 5 + b"</a>", Trouble.TOO_MUCH, 6),
    ],
)
def test_what_is_not_read_is_told_with_its_line(
    content: bytes, trouble: Trouble, line: int
) -> None:
    assert refusal(content) == (trouble, line)
