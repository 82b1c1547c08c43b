"""Markdown to HTML that is safe to put on a page: nothing a writer types can run or load anything.

Raw HTML is not a way to write here. A tag that someone types is shown as it was typed, because text
that a sanitiser drops in silence (``dose <b 5 Gy``) would be missing from a controlled record.
"""

import html
import re
from collections.abc import Callable
from xml.etree import ElementTree

import nh3
from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.tables import TableExtension
from markdown.inlinepatterns import InlineProcessor, LinkInlineProcessor
from markdown.treeprocessors import Treeprocessor
from markupsafe import Markup

RecordAddress = Callable[[str], str | None]
"""Given what looks like a record id, the page's address, or None when there is no such record."""

TOP_HEADING = 3
"""Texts stand inside a page whose title is h1 and whose parts are h2."""

LONGEST_TEXT = 1_000_000
"""Characters; above it the text is shown as it is, because rendering would hold up the page."""

_RECORD_ID = (
    r"(?<![\w./-])([A-Z][A-Z0-9]{0,9}-[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?![\w/-])"
)
_PLAIN_LINK_TEXT = re.compile(r"([^\[\]]{0,500})\]")
_LOWEST_HEADING = 6

_TAGS = {
    *("p", "br", "hr", "strong", "em", "del", "sub", "sup", "code", "pre", "blockquote"),
    *("h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "a", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
    "code": {"class"},
}
_SCHEMES = {"http", "https", "mailto"}
_OWN_ADDRESS = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")
_CODE_LANGUAGE = re.compile(r"language-[\w+-]{1,30}")


def to_html(
    text: str, record_address: RecordAddress | None = None, top_heading: int = TOP_HEADING
) -> Markup:
    """Render Markdown (tables, fenced code and definition lists included) as clean HTML.

    Parameters
    ----------
    text : str
        What a person wrote.
    record_address : callable, optional
        Turns record ids met in the text into links: ``{"REQ-009": "/p/RPM/REQ-009"}.get``.
    top_heading : int
        Level that the text's first-level headings get on the page.

    Examples
    --------
    >>> to_html("At most **0.4 %** of <volume>, see REQ-009", {"REQ-009": "/p/RPM/REQ-009"}.get)
    Markup('<p>At most <strong>0.4 %</strong> of &lt;volume&gt;, see \
<a href="/p/RPM/REQ-009" rel="noopener noreferrer nofollow">REQ-009</a></p>')
    """
    if len(text) > LONGEST_TEXT:
        return _as_typed(text)
    converter = Markdown(
        extensions=[
            *("fenced_code", "sane_lists", "def_list"),
            TableExtension(use_align_attribute=True),
            _Page(record_address, top_heading),
        ],
        output_format="html",
    )
    try:
        rendered = converter.convert(text)
    except RecursionError:
        # Hundreds of nested quotes are nobody's honest text, but it must still be readable.
        return _as_typed(text)
    return Markup(  # noqa: S704 - the one place where cleaned text is declared clean
        nh3.clean(
            rendered,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            attribute_filter=_only_harmless,
            link_rel="noopener noreferrer nofollow",
        )
    )


def _as_typed(text: str) -> Markup:
    return Markup("<pre>{}</pre>").format(text)


def _only_harmless(tag: str, attribute: str, value: str) -> str | None:
    if (tag, attribute) == ("img", "src"):
        return value if _OWN_ADDRESS.fullmatch(value) else None
    if (tag, attribute) == ("code", "class"):
        return value if _CODE_LANGUAGE.fullmatch(value) else None
    return value


class _Page(Extension):
    """What a text on a page needs beyond plain Markdown."""

    def __init__(self, record_address: RecordAddress | None, top_heading: int) -> None:
        super().__init__()
        self.record_address = record_address
        self.top_heading = top_heading

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the name is Markdown's
        # Without these two, a typed tag is text like any other and is escaped.
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")
        for pattern in md.inlinePatterns:
            if isinstance(pattern, LinkInlineProcessor):
                pattern.getText = _BracketPairs().text  # type: ignore[method-assign]
        md.treeprocessors.register(_Headings(md, self.top_heading), "headings", 5)
        md.treeprocessors.register(_ForeignImages(md), "foreign_images", 4)
        if self.record_address is not None:
            md.inlinePatterns.register(_RecordLinks(self.record_address, md), "record_id", 75)


class _BracketPairs:
    """Find the end of a link's text in one pass over the paragraph.

    Markdown's own search starts anew at every bracket: 20,000 open ones held a page for 34 seconds.
    """

    def __init__(self) -> None:
        self.data = ""
        self.closing: dict[int, int] = {}

    def text(self, data: str, index: int) -> tuple[str, int, bool]:
        """Return the text from `index` on, where it ends, and whether its bracket is closed."""
        if plain := _PLAIN_LINK_TEXT.match(data, index):
            return plain.group(1), plain.end(), True
        if data is not self.data:
            self.data, self.closing = data, _closing_brackets(data)
        end = self.closing.get(index - 1)
        return ("", len(data), False) if end is None else (data[index:end], end + 1, True)


def _closing_brackets(data: str) -> dict[int, int]:
    closing, opened = {}, []
    for bracket in re.finditer(r"[\[\]]", data):
        if bracket.group() == "[":
            opened.append(bracket.start())
        elif opened:
            closing[opened.pop()] = bracket.start()
    return closing


class _Headings(Treeprocessor):
    """Keep a text's headings below those of the page around it."""

    def __init__(self, md: Markdown, top_heading: int) -> None:
        super().__init__(md)
        self.top_heading = top_heading

    def run(self, root: ElementTree.Element) -> None:
        for element in root.iter():
            if re.fullmatch("h[1-6]", element.tag):
                level = int(element.tag[1]) + self.top_heading - 1
                element.tag = f"h{min(level, _LOWEST_HEADING)}"


class _ForeignImages(Treeprocessor):
    """Show an image from elsewhere as a link: loading it would tell its host who is reading."""

    def run(self, root: ElementTree.Element) -> None:
        for element in root.iter("img"):
            source = element.get("src", "")
            if _OWN_ADDRESS.fullmatch(source):
                continue
            words = element.get("alt") or source
            tail = element.tail
            element.clear()
            element.tail = tail
            element.tag, element.text = "a", f"[image elsewhere: {words}]"
            element.set("href", html.unescape(source))


class _RecordLinks(InlineProcessor):
    """Turn a record id into a link to its page, outside code and other links."""

    ANCESTOR_EXCLUDES = ("a",)

    def __init__(self, record_address: RecordAddress, md: Markdown) -> None:
        super().__init__(_RECORD_ID, md)
        self.record_address = record_address

    def handleMatch(  # type: ignore[override]  # noqa: N802 - the name is Markdown's
        self,
        m: re.Match[str],
        data: str,  # noqa: ARG002
    ) -> tuple[ElementTree.Element | None, int | None, int | None]:
        address = self.record_address(m.group(1))
        if address is None:
            return None, None, None
        link = ElementTree.Element("a", {"href": address})
        link.text = m.group(1)
        return link, m.start(0), m.end(0)
