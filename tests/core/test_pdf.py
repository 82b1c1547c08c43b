"""Printing: archival, closed to the outside, and the same bytes every time."""

import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pypdf
import pytest

from core import pdf
from core.errors import Invalid
from core.pdf import PdfAsset, PdfAttachment, PrintingUnavailable, missing_library, render_pdf

CREATED = datetime(2026, 11, 20, 14, 10, 11, 999_999, tzinfo=UTC)
PIXEL = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
    '<rect width="9" height="9" fill="#bada55"/></svg>'
)


def _render(body: str, **options) -> bytes:
    options = {"title": "Report", "identifier": "R-1", "created": CREATED, **options}
    return render_pdf(f"<!doctype html><html lang=en><body>{body}</body></html>", **options)


def _read(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data))


def test_the_document_declares_itself_pdf_a_3_and_carries_its_colour_profile() -> None:
    reader = _read(_render("<p>Dose</p>"))

    assert b'pdfaid:part="3"' in reader.xmp_metadata.stream.get_data()
    assert reader.root_object["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert not reader.is_encrypted
    assert reader.pages[0].extract_text() == "Dose"


def test_every_font_is_embedded() -> None:
    reader = _read(_render("<p>Dose <b>bold</b> <i>italic</i> <code>μ ≤ ±</code></p>"))

    fonts = [font.get_object() for font in reader.pages[0]["/Resources"]["/Font"].values()]
    assert len(fonts) >= 3
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_title_and_time_are_the_given_ones() -> None:
    reader = _read(_render("<title>not this</title>"))

    assert reader.metadata.title == "Report"
    assert reader.metadata.creation_date == CREATED.replace(microsecond=0)
    assert reader.metadata.modification_date == CREATED.replace(microsecond=0)


def test_two_processes_print_the_same_bytes(tmp_path: Path) -> None:
    """Hash seeds differ between processes, and with them the order of every set."""
    program = (
        "import sys; from datetime import UTC, datetime; from core.pdf import *;"
        "sys.stdout.buffer.write(render_pdf('<html lang=en><h1>Über μ</h1><p><b>x</b><i>y</i>',"
        "title='T', identifier='I', created=datetime(2026, 11, 20, tzinfo=UTC),"
        "attachments=[PdfAttachment('a.json', b'{}', 'd')]))"
    )
    printed = [
        subprocess.run(  # noqa: S603 (our own interpreter, a fixed program)
            [sys.executable, "-c", program],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    ]

    assert printed[0].startswith(b"%PDF-1.7")
    assert printed[0] == printed[1]


def test_another_identifier_gives_another_document_id() -> None:
    one, other = (_read(_render("x", identifier=name)).trailer["/ID"][0] for name in ("a", "b"))

    assert one != other


def test_attachments_can_be_taken_out_again_and_are_listed_once() -> None:
    files = [
        PdfAttachment("b.json", b'{"b": 1}', "Second"),
        PdfAttachment("a.json", b'{"a": 1}', "First", relationship="Source"),
    ]

    reader = _read(_render("<p>x</p>", attachments=files))

    assert {name: data[0] for name, data in reader.attachments.items()} == {
        "a.json": b'{"a": 1}',
        "b.json": b'{"b": 1}',
    }
    listed = [item.get_object() for item in reader.root_object["/AF"]]
    assert [item["/UF"] for item in listed] == ["a.json", "b.json"]
    assert [item["/AFRelationship"] for item in listed] == ["/Source", "/Data"]


def test_a_registered_asset_is_shown() -> None:
    asset = PdfAsset(PIXEL.encode(), "image/svg+xml")

    shown = _render('<img src="asset:a.svg">', assets={"a.svg": asset})

    assert b"0.729412 0.854902 0.333333 rg" in _read(shown).pages[0].get_contents().get_data()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.svg"
    path.write_text(PIXEL)
    return path


@pytest.mark.parametrize(
    "body",
    [
        '<img src="file:///etc/passwd">',
        '<img src="FILE:///etc/passwd">',
        '<img src="file:SECRET">',
        '<img src="SECRET">',
        '<img src="http://127.0.0.1:9/a.png">',
        '<img src="https://127.0.0.1:9/a.png">',
        '<img src="ftp://127.0.0.1:9/a.png">',
        '<img src="//127.0.0.1:9/a.png">',
        '<img src="data:image/svg+xml,%3Csvg/%3E">',
        '<img src="asset:unknown.svg">',
        '<img src="asset:../secret.svg">',
        '<img src="relative.svg">',
        '<base href="file:///etc/"><img src="passwd">',
        '<link rel="stylesheet" href="file:///etc/passwd">',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<a rel="attachment" href="file:///etc/passwd">x</a>',
        "<style>@import url(file:///etc/passwd);</style>",
        "<style>@font-face { font-family: f; src: url(file:///etc/passwd) }</style>"
        '<p style="font-family: f">x</p>',
        '<p style="background: url(file:///etc/passwd)">x</p>',
        '<p style="list-style-image: url(file:///etc/passwd); display: list-item">x</p>',
        '<style>p::before { content: url("file:///etc/passwd") }</style><p>x</p>',
        '<object data="file:///etc/passwd"></object>',
        '<embed src="file:///etc/passwd">',
        '<svg width="9" height="9"><image href="file:///etc/passwd" width="9" height="9"/></svg>',
    ],
)
def test_nothing_from_outside_is_ever_read(body: str, secret: Path, monkeypatch) -> None:
    opened = []
    body = body.replace("SECRET", str(secret))
    real_open = io.open

    def watched_open(file, *args, **kwargs):
        opened.append(str(file))
        return real_open(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", watched_open)
    with pytest.raises(Invalid) as refusal:
        _render(body)

    assert len(refusal.value.faults) == 1
    assert "which is not part of it" in str(refusal.value.faults[0])
    assert not [name for name in opened if "passwd" in name or "secret" in name]


def test_all_refused_addresses_are_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        _render('<img src="file:///a"><img src="http://b/"><img src="file:///a">')

    assert [fault.what.split()[2] for fault in refusal.value.faults] == ["file:///a,", "http://b/,"]


def test_a_missing_system_library_is_named_with_its_package(tmp_path: Path) -> None:
    """As where Pango is absent: the import raises OSError, not ImportError."""
    (tmp_path / "weasyprint").mkdir()
    (tmp_path / "weasyprint" / "__init__.py").write_text(
        "print('advice of its own')\nraise OSError(\"cannot load library 'libpango-1.0-0'\")\n"
    )
    program = "from core.pdf import missing_library; print(missing_library())"

    said = subprocess.run(  # noqa: S603 (our own interpreter, a fixed program)
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(pdf.__file__).parents[1]}"},
    ).stdout

    assert said.startswith("No PDF can be made: the system library pango is missing.")
    assert "apt-get install libpango-1.0-0" in said
    assert issubclass(PrintingUnavailable, Exception)


def test_a_machine_with_its_libraries_can_print() -> None:
    assert missing_library() is None


def test_importing_the_module_does_not_load_the_renderer() -> None:
    program = "import sys, core.pdf; sys.exit('weasyprint' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603 (as above)

    assert done.returncode == 0
