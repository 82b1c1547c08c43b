"""What the browser loads comes from this installation alone."""

import re
from pathlib import Path

import pytest

from scripts.assets import AssetError, closed_css


def test_a_style_sheet_that_asks_outside_is_refused() -> None:
    with pytest.raises(AssetError, match=r"fonts\.css still loads something from outside"):
        closed_css("p{background:url(//cdn.example/x.png)}", "fonts.css")


@pytest.mark.parametrize("rule", ['@import "https://a.example/b.css";', "@import url(//a.example)"])
def test_an_import_from_outside_is_refused(rule: str) -> None:
    with pytest.raises(AssetError):
        closed_css(rule, "x.css")


def test_nothing_the_browser_loads_names_another_host(need) -> None:
    vendor = need("assets").parent
    style_sheets = sorted(vendor.glob("*.css"))

    asked = [
        f"{path.name}: {address}"
        for path in style_sheets
        for address in re.findall(r"url\(([^)]*)\)", path.read_text(encoding="utf-8"))
        if not (vendor.parent.parent / address.lstrip("/")).is_file()
    ]

    assert len(style_sheets) == 3
    assert asked == []


def test_our_own_sources_are_served_as_they_are_written(need) -> None:
    vendor = need("assets").parent
    sources = sorted((Path(__file__).parents[2] / "assets").iterdir())

    assert sources
    for source in sources:
        assert (vendor / source.name).read_bytes() == source.read_bytes()
