"""The formatted texts of ReqIF as plain text with the marks of Markdown that keep their shape."""

import re
from collections.abc import Iterator

from core.located_xml import Element

_BLOCKS = frozenset(
    {"p", "div", "ul", "ol", "table", "tr", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"}
)


def plain_text(element: Element) -> str:
    """Return the text of an element: a line for each block, a star for each entry of a list."""
    text = "".join(_pieces(element))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def objects_named(element: Element) -> Iterator[str]:
    """Go through the files that a text shows or carries."""
    for one in element.all_named("object"):
        if path := one.attributes.get("data"):
            yield path


def _pieces(element: Element) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, str):
            yield re.sub(r"\s+", " ", child)
        elif child.name == "br":
            yield "\n"
        elif child.name == "li":
            yield from ("\n* ", *_pieces(child))
        elif child.name in {"td", "th"}:
            yield from (*_pieces(child), " | ")
        elif child.name in _BLOCKS:
            yield from ("\n", *_pieces(child), "\n")
        else:
            yield from _pieces(child)
