"""Draw DOT text with Graphviz and let through only what a picture needs.

`dot` runs as a child process without a shell, with limits on time and memory. Its SVG is rebuilt
from an allow-list: an element, an attribute or an address that is not on it does not pass.
"""

import hashlib
import os
import re
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from shutil import which
from tempfile import NamedTemporaryFile
from typing import Literal
from xml.etree import ElementTree as ET

from core.errors import FiducialError

TIME_LIMIT_S = 60
"""Processor time of a job's picture: one of a thousand lines takes ten seconds."""

QUICK_TIME_LIMIT_S = 2
"""Processor time of a picture while a reader waits: the demo department takes 0.05 s."""

WAITING = 2
"""A busy machine may take so many times longer on the wall than of its processor."""

QUICK_LINES = 300
"""Pictures of up to so many lines are drawn when asked for; three times the demo department."""

MEMORY_LIMIT_BYTES = 1 << 30
"""Graphviz with its fonts maps about 300 MB before it draws anything."""

LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(?:pt|px)?", re.ASCII)

WIDE = 900
"""A picture wider than this is shrunk to the page; a smaller one is never blown up."""

RENDERING = 1
"""Raised when the rebuilt SVG changes, so that pictures kept from before are drawn again."""

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

PAINT = ("fill", "stroke", "stroke-width", "stroke-dasharray")
"""What a style may say; PlantUML writes it as one, and no page of ours lets a style through."""

ALLOWED = {
    "svg": {"width", "height", "viewBox"},
    "g": {"id", "class", "transform"},
    "title": set(),
    "a": set(),
    "path": {"d", "fill", "stroke", "stroke-width", "stroke-dasharray"},
    "rect": {"x", "y", "width", "height", "rx", "ry", *PAINT},
    "line": {"x1", "y1", "x2", "y2", *PAINT},
    "polygon": {"points", "fill", "stroke", "stroke-width", "stroke-dasharray"},
    "polyline": {"points", "fill", "stroke", "stroke-width", "stroke-dasharray"},
    "ellipse": {"cx", "cy", "rx", "ry", "fill", "stroke", "stroke-width"},
    "text": {
        *("x", "y", "text-anchor", "fill", "font-family", "font-size", "font-weight"),
        *("font-style", "textLength", "lengthAdjust"),
    },
}
"""Elements and attributes that the renderers write for our pictures; nothing else passes."""


class DrawingFailed(FiducialError):
    """Graphviz is absent, ran out of memory, or refused the text."""


class DrawingTookTooLong(DrawingFailed):
    """Graphviz ran out of the time it was given."""


def key_of(dot_text: str) -> str:
    """Return the name under which the picture of a DOT text is kept."""
    return hashlib.sha256(f"{RENDERING}\n{dot_text}".encode()).hexdigest()


class DrawingStore:
    """Pictures on disk, each under the SHA-256 of its text.

    Parameters
    ----------
    data_dir : Path
        The data folder; pictures lie in `diagrams/` below it and may be deleted at any time.
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "diagrams"

    def kept(self, text: str, kind: str = "svg") -> str | None:
        """Return the picture of a text, or what else was made of it, if it was made before."""
        try:
            return self._path(key_of(text), kind).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def draw(self, dot_text: str, *, patient: bool = False) -> str:
        """Return the picture of a text, drawing it at most once.

        Parameters
        ----------
        patient : bool
            Allow the time that a job has, not the time that a waiting reader has.
        """
        limit = TIME_LIMIT_S if patient else QUICK_TIME_LIMIT_S
        return self.made(dot_text, "svg", lambda text: draw(text, limit))

    def made(self, text: str, kind: str, make: Callable[[str], str]) -> str:
        """Return what was made of a text before, or make it now and keep it under its digest."""
        path = self._path(key_of(text), kind)
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            found = make(text)
            self._keep(path, found)
            return found

    def leave(self, dot_text: str) -> str:
        """Keep a text for a job to draw, and return the key to name it by."""
        key = key_of(dot_text)
        self._keep(self._path(key, "dot"), dot_text)
        return key

    def text(self, key: str) -> str:
        """Return a text that was left.

        Raises
        ------
        DrawingFailed
            If it is not there, or is not the text of that key.
        """
        try:
            text = self._path(key, "dot").read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise DrawingFailed(
                f"The text of picture {key[:12]} is gone; open the map again to draw it."
            ) from error
        if key_of(text) != key:
            raise DrawingFailed(f"The text of picture {key[:12]} was changed; it was not drawn.")
        return text

    def _keep(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and renamed: a reader never meets half a picture.
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as beside:
            beside.write(text)
        Path(beside.name).replace(path)

    def _path(self, key: str, kind: str) -> Path:
        return self.folder / key[:2] / f"{key}.{kind}"


def draw(dot_text: str, time_limit_s: int = TIME_LIMIT_S) -> str:
    """Lay DOT text out with Graphviz and return safe SVG.

    Raises
    ------
    DrawingFailed
        If Graphviz is absent, takes too long or refuses the text.
    """
    return sanitised(graphviz(dot_text, time_limit_s, "svg"))


@lru_cache
def graphviz_version() -> str:
    """Return the renderer's own name and version, for evidence documents."""
    answer = subprocess.run([_dot(), "-V"], capture_output=True, timeout=TIME_LIMIT_S, check=True)  # noqa: S603
    return answer.stderr.decode(errors="replace").strip()


def renderer() -> str:
    """Return the renderer in the words of a page: `Graphviz 2.43.0`."""
    version = re.search(r"version (\S+)", graphviz_version())
    return f"Graphviz {version[1] if version else ''}".strip()


def _dot() -> str:
    found = which("dot")
    if found is None:
        raise DrawingFailed(
            "The picture cannot be drawn: Graphviz is not installed. Install the package "
            "'graphviz'; the matrix and the table hold the same content meanwhile."
        )
    return found


def graphviz(dot_text: str, time_limit_s: int, form: Literal["svg", "plain"]) -> bytes:
    """Return what Graphviz makes of a DOT text: a picture as it comes, or places in words.

    Raises
    ------
    DrawingFailed
        If Graphviz is absent, takes too long or refuses the text.
    """
    # The text goes in by stdin and the argument list is fixed: no name ever reaches a command.
    with subprocess.Popen(  # noqa: S603
        [_dot(), f"-T{form}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
    ) as child:
        # dot waits for its input, so the limits stand before it reads the first byte.
        resource.prlimit(child.pid, resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
        resource.prlimit(child.pid, resource.RLIMIT_CPU, (time_limit_s, time_limit_s))
        try:
            out, err = child.communicate(dot_text.encode(), timeout=WAITING * time_limit_s)
        except subprocess.TimeoutExpired as error:
            child.kill()
            raise _too_long(time_limit_s) from error
    if child.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _too_long(time_limit_s)
    if child.returncode != 0:
        said = err.decode(errors="replace").strip()[:300]
        raise DrawingFailed(
            f"Graphviz could not draw the picture (exit {child.returncode}): {said}"
        )
    return out


def _too_long(time_limit_s: int) -> DrawingTookTooLong:
    return DrawingTookTooLong(
        f"The picture took longer than {time_limit_s} s; choose a smaller part of the map."
    )


def sanitised(svg: bytes) -> str:
    """Rebuild an SVG from what is allowed, and name every box and line by its own words.

    Graphviz names a line by its two aliases, which is neither unique nor readable; the tooltip
    of the line, or the text in the box, takes that place for eyes, screen readers and tests.

    Raises
    ------
    DrawingFailed
        If the SVG declares entities of its own or is not XML.
    """
    if b"<!ENTITY" in svg:
        raise DrawingFailed("The picture declares entities of its own and was not accepted.")
    try:
        root = ET.fromstring(svg)  # noqa: S314  (no entities, as just checked)
    except ET.ParseError as error:
        raise DrawingFailed(f"The picture is not well-formed: {error}.") from error
    ET.register_namespace("", SVG)
    rebuilt = _rebuilt(root)
    if rebuilt is None:
        raise DrawingFailed("The picture is not an SVG.")
    return ET.tostring(rebuilt, encoding="unicode")


def _rebuilt(element: ET.Element) -> ET.Element | None:
    namespace, _, name = element.tag[1:].partition("}")
    if namespace != SVG or name not in ALLOWED:
        return None
    allowed = ALLOWED[name]
    told = {**element.attrib, **_style(element.get("style", ""))}
    made = ET.Element(element.tag, {k: v for k, v in told.items() if k in allowed})
    # An address or a style hidden in a paint value would be fetched: url(...) never passes.
    for attribute in [k for k, v in made.attrib.items() if "url(" in v.lower()]:
        del made.attrib[attribute]
    if name == "a":
        href = element.get(f"{{{XLINK}}}href", element.get("href") or "")
        if href.startswith("/") and not href.startswith(("//", "/\\")):
            made.set("href", href)
        # Where there is text to read, it is the link's name already.
        if not any(True for _ in element.iter(f"{{{SVG}}}text")):
            made.set("aria-label", element.get(f"{{{XLINK}}}title", element.get("title") or ""))
    if name in ("text", "title"):
        made.text = element.text
    for child in element:
        kept = _rebuilt(child)
        if kept is not None:
            made.append(kept)
    if name == "g" and element.get("class") in ("node", "edge", "cluster"):
        _name_by_words(made)
    return made


def _style(style: str) -> dict[str, str]:
    """Return what a style says of colours and lines as attributes."""
    pairs = (declaration.partition(":") for declaration in style.split(";"))
    said = {name.strip(): value.strip() for name, _, value in pairs}
    return {name: value for name, value in said.items() if name in PAINT and value}


def _name_by_words(group: ET.Element) -> None:
    title = group.find(f"{{{SVG}}}title")
    if title is None:
        return
    if group.get("class") == "edge":
        anchors = (a.get("aria-label") for a in group.iter(f"{{{SVG}}}a"))
        title.text = next((words for words in anchors if words), "")
    else:
        texts = (text.text or "" for text in group.iter(f"{{{SVG}}}text"))
        title.text = " ".join(texts)


def size_of(svg: str) -> tuple[float, float]:
    """Return width and height of a picture.

    Raises
    ------
    DrawingFailed
        If it does not say them in points or pixels: then no page could show it at a scale.
    """
    return _size(ET.fromstring(svg))  # noqa: S314  (our own rebuilt SVG)


def _size(root: ET.Element) -> tuple[float, float]:
    said = {side: LENGTH.fullmatch(root.get(side, "").strip()) for side in ("width", "height")}
    width, height = (float(found[1]) if found else 0.0 for found in said.values())
    if not (width and height):
        lacking = " and ".join(f"{side} {root.get(side, '(none)')[:20]!r}" for side in said)
        raise DrawingFailed(f"The picture does not say its size in points or pixels: {lacking}.")
    return width, height


def scaled(svg: str, percent: int | None) -> str:
    """Return a picture at a percentage of its own size; None fits a wide one to the page."""
    root = ET.fromstring(svg)  # noqa: S314  (our own rebuilt SVG)
    ET.register_namespace("", SVG)
    width, height = _size(root)
    if percent is None and width > WIDE:
        root.set("width", "100%")
        del root.attrib["height"]
    else:
        root.set("width", f"{width * (percent or 100) / 100:.0f}")
        root.set("height", f"{height * (percent or 100) / 100:.0f}")
    return ET.tostring(root, encoding="unicode")


def drawn_names(svg: str, kind: str) -> Iterator[str]:
    """Yield the name of everything of one kind (`node`, `edge` or `cluster`) in a picture."""
    root = ET.fromstring(svg)  # noqa: S314  (our own rebuilt SVG)
    for group in root.iter(f"{{{SVG}}}g"):
        if group.get("class") == kind:
            yield group.findtext(f"{{{SVG}}}title") or ""
