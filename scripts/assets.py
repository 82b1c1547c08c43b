"""Build what the browser loads, in app/static/vendor: pinned packages and our own sources.

Runs on the standard library alone, because set-up runs it before anything is installed.
"""

import re
import shutil
import sys
from pathlib import Path

FONT_FACE = re.compile(r"@font-face\{[^}]*\}")
"""nhsuk-frontend names fonts on a server of the NHS; our pages ask nobody outside for anything."""

SOURCE_MAP = re.compile(r"\n?/[/*]# sourceMappingURL=\S+(?: \*/)?")

OUTSIDE = re.compile(r"(?:url\(|@import)[\s\"']*(?:https?:)?//")


class AssetError(Exception):
    """A front-end package is not what the build expects."""


def own_icons(css: str) -> str:
    """Point the style sheet's icons to where this build puts them."""
    return css.replace("/assets/images/", "/static/vendor/images/")


def closed_css(css: str, name: str) -> str:
    """Remove the fonts from elsewhere and refuse a style sheet that still asks outside.

    Examples
    --------
    >>> closed_css("@font-face{src:url(https://fonts.example/f.woff2)}p{margin:0}", "p.css")
    'p{margin:0}'
    """
    closed = (
        SOURCE_MAP.sub("", FONT_FACE.sub("", css))
        .replace('"Frutiger W01",', "")
        .replace("Frutiger W01,", "")
    )
    asked = OUTSIDE.search(closed)
    if asked:
        raise AssetError(
            f"{name} still loads something from outside near {asked.group()!r}; "
            "extend scripts/assets.py."
        )
    return closed


def build(root: Path) -> Path:
    """Build app/static/vendor anew and return it; the old one stays until the new one is whole."""
    packages, vendor = root / "node_modules", root / "app" / "static" / "vendor"
    fresh = vendor.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "images").mkdir(parents=True)

    nhsuk = packages / "nhsuk-frontend" / "dist" / "nhsuk"
    css = (nhsuk / "nhsuk-frontend.min.css").read_text(encoding="utf-8")
    (fresh / "nhsuk.css").write_text(
        closed_css(own_icons(css), "nhsuk-frontend.min.css"), encoding="utf-8"
    )
    for icon in sorted(set(re.findall(r"/assets/images/([\w.-]+)", css))):
        shutil.copyfile(nhsuk / "assets" / "images" / icon, fresh / "images" / icon)

    scripts = {
        "nhsuk.js": nhsuk / "nhsuk-frontend.min.js",
        "htmx.js": packages / "htmx.org" / "dist" / "htmx.min.js",
        "cytoscape.js": packages / "cytoscape" / "dist" / "cytoscape.esm.min.mjs",
        # Without the package's viz-global.js: that one is WebAssembly, which our policy refuses,
        # and the engine lays diagrams out by itself where it is absent.
        "plantuml.js": packages / "@plantuml" / "core" / "plantuml.js",
    }
    for name, source in scripts.items():
        text = SOURCE_MAP.sub("", source.read_text(encoding="utf-8"))
        (fresh / name).write_text(text, encoding="utf-8")
    for source in sorted((root / "assets").iterdir()):
        shutil.copyfile(source, fresh / source.name)

    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)
    return vendor


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(__file__).resolve().parent.parent)}\n")
