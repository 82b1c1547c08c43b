"""Files that were made to do harm are refused by name, quickly, and the rest is still read."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Invalid
from qms.interchange.readers import archives, files, gathering, located_json, xml_files
from qms.interchange.readers.gathering import Gathering
from qms.interchange.readers.reading import read_corpus

pytestmark = pytest.mark.verifies("TST-031")

REQIF = """<?xml version="1.0"?>
{doctype}<REQ-IF><CORE-CONTENT><REQ-IF-CONTENT><SPEC-OBJECTS>
<SPEC-OBJECT IDENTIFIER="A" LONG-NAME="{name}"/></SPEC-OBJECTS>
</REQ-IF-CONTENT></CORE-CONTENT></REQ-IF>
"""

LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10)
)  # fmt: skip

DOCTYPES = {
    "a bomb of entities": f"<!DOCTYPE REQ-IF [{LAUGHS}]>",
    "a file of this machine": '<!DOCTYPE REQ-IF [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "a document type of elsewhere": '<!DOCTYPE REQ-IF SYSTEM "http://127.0.0.1/x.dtd">',
    "a parameter entity": '<!DOCTYPE REQ-IF [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
}


def codes(caught: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {fault.code for fault in caught.value.faults}


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("doctype", DOCTYPES.values(), ids=DOCTYPES)
def test_xml_that_declares_entities_is_refused(tmp_path: Path, doctype: str) -> None:
    (tmp_path / "a.reqif").write_text(REQIF.format(doctype=doctype, name="&l9;"))

    with pytest.raises(Invalid) as caught:
        read_corpus(tmp_path)

    assert codes(caught) == {"TR005"}
    assert "root:" not in str(caught.value)


def test_a_zip_bomb_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.reqifz", **{"a.reqif": b"<" + b" " * 20_000_000})

    with pytest.raises(Invalid) as caught:
        read_corpus(path)

    assert codes(caught) == {"TR006"}
    assert "zip bomb" in str(caught.value)


def test_a_zip_that_lies_about_its_size_is_refused() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.reqif", b"x" * 5_000_000)
    lying = held.getvalue().replace((5_000_000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    into = Gathering("reqif")

    unpacked = dict(archives.members(lying, "a.reqifz", into))

    assert unpacked == {}
    assert [one.code for one in into.findings] == ["TR006"]


@pytest.mark.parametrize("name", ["../a.reqif", "/a.reqif", "C:/a.reqif", "x\\..\\..\\a.reqif"])
def test_a_member_that_climbs_out_is_refused_and_the_others_are_read(
    tmp_path: Path, name: str
) -> None:
    good = REQIF.format(doctype="", name="kept").encode()
    path = zipped(tmp_path / "a.reqifz", **{name: good, "b.reqif": good})

    corpus = read_corpus(path)

    assert [one.title for one in corpus.items] == ["kept"]
    assert "TR004" in {one.code for one in corpus.findings}
    assert sorted(tmp_path.iterdir()) == [path]


def test_too_many_members_and_a_zip_that_is_none_are_refused(tmp_path: Path) -> None:
    many = {f"{number}.txt": b"" for number in range(archives.MOST_MEMBERS + 1)}
    for path in (zipped(tmp_path / "many.reqifz", **many), tmp_path / "none.reqifz"):
        if not path.exists():
            path.write_bytes(b"PK\x03\x04 and no more")

        with pytest.raises(Invalid) as caught:
            read_corpus(path)

        assert codes(caught) == {"TR006"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_workbook_with_entities_is_refused(tmp_path: Path, encoding: str) -> None:
    sheet = f"<!DOCTYPE x [{LAUGHS}]><x>&l9;</x>".encode(encoding)
    path = zipped(tmp_path / "a.xlsx", **{"xl/worksheets/sheet1.xml": sheet})

    with pytest.raises(Invalid) as caught:
        read_corpus(path)

    assert codes(caught) == {"TR005"}


def workbook(part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook whose one sheet has an unusual name, which its relations state as well."""
    from openpyxl import Workbook

    book, held, made = Workbook(), io.BytesIO(), io.BytesIO()
    book.active.append(["Id"])
    book.active.append(["A"])
    book.save(held)
    usual = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            said = old.read(name)
            if name == usual:
                new.writestr(part, change(said))
            else:
                new.writestr(name, said.replace(usual.encode(), part.encode()))
    return made.getvalue()


DECLARED = b"<!DOCTYPE x [<!ENTITY a 'b'>]>"


@pytest.mark.parametrize(
    "change",
    [
        lambda said: DECLARED + said,
        lambda said: b" \r\n" + DECLARED + said,
        lambda said: b"\xef\xbb\xbf" + DECLARED + said,
        lambda said: (DECLARED + said).decode().encode("utf-16"),
        lambda said: (DECLARED + said).decode().encode("utf-16-be"),
    ],
)
@pytest.mark.parametrize(
    "part",
    ["xl/worksheets/.s.xml", "__MACOSX/s.xml", "xl/worksheets/s.dat", "xl/worksheets/s.xml/"],
)
def test_no_part_of_a_workbook_is_passed_over_for_its_name(
    part: str, change: Callable[[bytes], bytes]
) -> None:
    kept, refused = Gathering(""), Gathering("")

    assert archives.safe_workbook(workbook(part, lambda said: said), "a.xlsx", kept)
    assert not archives.safe_workbook(workbook(part, change), "a.xlsx", refused)
    assert [one.code for one in refused.findings] == ["TR005"]


SVG = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<!-- Drawn -->\n<!DOCTYPE svg PUBLIC '
    b'"-//W3C//DTD SVG 1.1//EN"\n  "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"%s>\n'
    b'<svg xmlns="http://www.w3.org/2000/svg"/>'
)


def with_picture(path: Path, name: str, picture: bytes) -> Path:
    path.write_bytes(workbook("xl/worksheets/sheet1.xml", lambda said: said))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, picture)
    return path


def test_a_picture_that_names_its_document_type_keeps_no_workbook_from_being_read(
    tmp_path: Path,
) -> None:
    path = with_picture(tmp_path / "a.xlsx", "xl/media/image2.svg", SVG % b"")

    corpus = read_corpus(path)

    assert ([one.uid for one in corpus.items], corpus.findings) == (["A"], ())


@pytest.mark.parametrize(
    ("name", "picture", "mend"),
    [
        ("xl/media/image2.svg", SVG % b" [<!ENTITY a 'b'>]", "as PNG"),
        ("xl/media/image2.svg", SVG % b"" + DECLARED, "as PNG"),
        ("xl/media/image2.svg", DECLARED + SVG % b"", "as PNG"),
        ("xl/media/image2.svg", (SVG % b" [<!ENTITY a 'b'>]").decode().encode("utf-16"), "as PNG"),
        ("xl/media/image2.xml", SVG % b"", "save it anew"),
    ],
)
def test_a_picture_that_declares_something_is_named_with_what_to_do(
    tmp_path: Path, name: str, picture: bytes, mend: str
) -> None:
    with pytest.raises(Invalid) as caught:
        read_corpus(with_picture(tmp_path / "a.xlsx", name, picture))

    [fault] = caught.value.faults
    assert (fault.code, name in fault.what, mend in fault.mend) == ("TR005", True, True)


def test_a_workbook_that_is_a_bomb_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.xlsx", **{"xl/worksheets/sheet1.xml": b"<c/>" * 4_000_000})

    with pytest.raises(Invalid) as caught:
        read_corpus(path)

    assert codes(caught) == {"TR006"}


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_a_damaged_workbook_is_told(tmp_path: Path, part: str) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Id", "Title"])
    held = io.BytesIO()
    book.save(held)
    with zipfile.ZipFile(held) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[part] = members[part][:-30]
    path = zipped(tmp_path / "a.xlsx", **members)

    with pytest.raises(Invalid) as caught:
        read_corpus(path)

    assert codes(caught) == {"TR003"}


def test_a_link_that_leads_out_of_the_folder_is_named_and_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "a.reqif").write_text(REQIF.format(doctype="", name="kept"))
    (outside / "b.reqif").write_text(REQIF.format(doctype="", name="secret"))
    (inside / "b.reqif").symlink_to(outside / "b.reqif")
    (inside / "folder").symlink_to(outside)

    corpus = read_corpus(inside)

    assert [one.title for one in corpus.items] == ["kept"]
    assert [(one.code, str(one.place)) for one in corpus.findings if one.code == "TR004"] == [
        ("TR004", "b.reqif"),
        ("TR004", "folder"),
    ]


def test_a_doorstop_reference_cannot_climb_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "reqs"
    folder.mkdir()
    (folder / ".doorstop.yml").write_text("settings:\n  prefix: REQ\n")
    (folder / "REQ1.yml").write_text("text: a\nreferences:\n- path: ../secret\n  type: file\n")

    corpus = read_corpus(folder)

    assert corpus.items[0].attached == ()
    assert [(one.code, str(one.place)) for one in corpus.findings] == [("TR010", "REQ1.yml:3")]


def test_anchors_of_yaml_are_refused(tmp_path: Path) -> None:
    (tmp_path / ".doorstop.yml").write_text("settings:\n  prefix: REQ\n")
    (tmp_path / "REQ1.yml").write_text("a: &a [x, x]\nb: [*a, *a]\ntext: t\n")
    (tmp_path / "REQ2.yml").write_text("text: kept\n")

    corpus = read_corpus(tmp_path)

    assert {str(one.place) for one in corpus.findings} == {"REQ1.yml:1"}
    assert corpus.items[-1].text == "kept"


@pytest.mark.parametrize(
    "text", ['{"versions": ' + "[" * 5_000, '{"a": ' * 5_000, "[" * located_json.DEEPEST + "["]
)
def test_json_that_is_nested_without_end_is_refused(text: str) -> None:
    into = Gathering("")

    assert located_json.read_json(text, "a.json", into) is None
    assert [one.code for one in into.findings] == ["TR003"]


def test_xml_that_is_nested_without_end_is_refused() -> None:
    into = Gathering("")
    data = b"<a>" * 100_000

    assert xml_files.read_xml(data, "a.reqif", into) is None
    assert [one.code for one in into.findings] == ["TR001"]


def test_what_is_too_large_is_told_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST_BYTES", 2_000)
    monkeypatch.setattr(gathering, "MOST_ITEMS", 1)
    (tmp_path / "a.sdoc").write_text("[DOCUMENT]\nTITLE: A\n\n[TEXT]\nSTATEMENT: a\n")
    (tmp_path / "b.sdoc").write_text("[DOCUMENT]\nTITLE: " + "b" * 3_000)

    corpus = read_corpus(tmp_path)

    assert len(corpus.items) == 1
    assert [(one.code, one.place.file) for one in corpus.findings] == [
        ("TR001", "a.sdoc"),
        ("TR001", "b.sdoc"),
    ]


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.sdoc").write_bytes(b"[DOCUMENT]\nTITLE: \xff\xfe")

    with pytest.raises(Invalid) as caught:
        read_corpus(tmp_path)

    assert [(one.code, one.where) for one in caught.value.faults] == [("TR002", "a.sdoc:2")]


def test_a_key_said_twice_in_json_is_told(tmp_path: Path) -> None:
    needs = '"A": {"id": "A", "type": "req"}'
    text = f'{{"current_version": "1", "versions": {{"1": {{"needs": {{{needs},\n{needs}}}}}}}}}'
    (tmp_path / "needs.json").write_text(text)

    corpus = read_corpus(tmp_path)

    assert json.loads(text)
    assert [(one.code, str(one.place)) for one in corpus.findings] == [("TR008", "needs.json:2")]


def test_a_member_that_stands_twice_and_an_archive_within_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.reqifz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.reqif", REQIF.format(doctype="", name="first"))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.reqif", REQIF.format(doctype="", name="second"))
        archive.writestr("b.reqifz", b"PK")

    corpus = read_corpus(path)

    assert [one.title for one in corpus.items] == ["first"]
    found = [one.what for one in corpus.findings if one.code == "TR006"]
    assert ["stands there twice" in found[0], "an archive within" in found[1]] == [True, True]
