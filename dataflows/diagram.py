"""Write a picture as Graphviz DOT text and as PlantUML text.

Names come from people and from other systems, and both languages have directives, markup and
escapes of their own. So every alias is ours, and every character of a name that is not plainly
harmless is written as a numeric character reference, which both renderers show literally.
"""

import textwrap
import unicodedata
from collections.abc import Callable, Iterator

from dataflows.picture import Box, Group, Line, Picture
from dataflows.tones import Stroke

FONT = "Arial,Liberation Sans,Helvetica,sans-serif"
"""Liberation Sans has Arial's measures, so text measured by the server fits the reader's boxes."""

LABEL_WIDTH = 22
"""Characters per line of a box: narrow enough for 26 boxes in a readable picture."""

CAPTION_WIDTH = 70
"""Characters per line below the picture, so that a small picture does not become a wide one."""

CURVED_LINES = 120
"""A picture of more lines has straight ones and is laid out with less effort."""

DOT_HARMLESS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,()/+_-:;=?!%'#*@[]{}|~^$"
)
"""Inside a quoted DOT string only the quote, backslash, ampersand and angle brackets act."""

PLANTUML_HARMLESS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,()+"
)
"""Seen in PlantUML 1.2026: doubled hyphens, slashes and underscores change how a name looks."""


def _literal(text: str, harmless: frozenset[str]) -> str:
    """Write text so that a renderer shows exactly it."""
    return "".join(c if c in harmless else f"&#{ord(c)};" for c in map(_visible, text))


def _visible(character: str) -> str:
    """Replace what XML cannot hold or what would break or reorder a line by a visible sign."""
    if character in "\r\n\t":
        return "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}" if character != "\t" else " "
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return "\N{REPLACEMENT CHARACTER}"
    return character


def _dot_text(text: str) -> str:
    # Graphviz undoes references first and backslashes after, so a backslash is doubled instead.
    return "\\\\".join(_literal(part, DOT_HARMLESS) for part in text.split("\\"))


def _plain(text: str) -> str:
    return _literal(text, PLANTUML_HARMLESS)


def _wrapped(text: str, literal: Callable[[str], str], width: int = LABEL_WIDTH) -> list[str]:
    # Made visible first: to the wrapping a line break would be a blank like any other.
    return [literal(line) for line in textwrap.wrap("".join(map(_visible, text)), width)]


def to_dot(drawn: Picture) -> str:
    """Return the picture as DOT text."""
    return "\n".join([*_dot_lines(drawn), ""])


def _dot_lines(drawn: Picture) -> Iterator[str]:
    # Each line of the caption ends with \\l, which sets it to the left.
    caption = "".join(f"{line}\\l" for line in _wrapped(drawn.caption, _dot_text, CAPTION_WIDTH))
    yield "digraph map {"
    yield (
        f"  graph [rankdir=TB, newrank=true, ranksep=0.35, nodesep=0.15, {_effort(drawn)}, "
        f'fontname="{FONT}", fontsize=12, labelloc=b, labeljust=l, '
        f'label="{caption}"];'
    )
    yield (
        f'  node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#4c6272", '
        f'fontname="{FONT}", fontsize=14, fontcolor="#212b32", margin="0.1,0.05"];'
    )
    yield f'  edge [fontname="{FONT}", fontsize=11, fontcolor="#212b32", arrowsize=0.7];'
    yield from _framed(drawn, _dot_open, lambda: "  }", _dot_box)
    yield from (_dot_line(line) for line in drawn.lines)
    yield "}"


def _effort(drawn: Picture) -> str:
    """Say how hard Graphviz tries: 300 lines take half a minute curved, half a second straight."""
    if len(drawn.lines) <= CURVED_LINES:
        return "splines=true"
    return "splines=line, nslimit=1, nslimit1=1, mclimit=0.3"


def _dot_quoted(text: str) -> str:
    return f'"{_dot_text(text)}"'


def _dot_open(group: Group) -> str:
    return (
        f"  subgraph cluster_{group.alias} {{\n"
        f"    graph [label={_dot_quoted(f'{group.name} ({group.uid})')}, labelloc=t, "
        f"labeljust=l, URL={_dot_quoted(group.href)}, tooltip={_dot_quoted(group.uid)}, "
        f'style="rounded,filled", color="#aeb7bd", fillcolor="#f0f4f5"];'
    )


def _dot_box(box: Box) -> str:
    border = ', color="#212b32", penwidth=3' if box.marked else ""
    name = "\\n".join(_wrapped(box.name, _dot_text))
    return (
        f'  {box.alias} [id="{box.alias}", '
        f'label="{name}\\n{_dot_text(box.uid)}", '
        f"URL={_dot_quoted(box.href)}, "
        f"tooltip={_dot_quoted(box.uid)}{border}];"
    )


def _dot_line(line: Line) -> str:
    # Graphviz undoes escapes in a tooltip twice; the name of a line holds ids only.
    tone = line.tone
    label = f", label={_dot_quoted(line.label)}" if line.label else ""
    return (
        f'  {line.source} -> {line.target} [id="{line.alias}", color="{tone.colour}", '
        f"style={tone.stroke.value}, penwidth={tone.width}{label}, "
        f"URL={_dot_quoted(line.href)}, tooltip={_dot_quoted(line.name)}, "
        f"labeltooltip={_dot_quoted(line.name)}];"
    )


def to_plantuml(drawn: Picture) -> str:
    """Return the picture as PlantUML text."""
    return "\n".join([*_plantuml_lines(drawn), ""])


def _plantuml_lines(drawn: Picture) -> Iterator[str]:
    yield "@startuml"
    yield "left to right direction"
    yield "skinparam shadowing false"
    yield "skinparam defaultFontName Arial"
    yield f"title {_plain(drawn.title)}"
    yield from _framed(drawn, _plantuml_open, lambda: "}", _plantuml_box)
    for line in drawn.lines:
        yield f"' {_plain(line.name)}"
        yield _plantuml_line(line)
    yield "legend"
    for entry in drawn.legend:
        yield f"{entry.tone.stroke.value} line, {_plain(entry.tone.word)}, {entry.count}"
    yield "endlegend"
    yield "@enduml"


def _plantuml_open(group: Group) -> str:
    return f'package "{_plain(group.name)}" as {group.alias} [[{group.href}]] {{'


def _plantuml_box(box: Box) -> str:
    thick = " #line.bold" if box.marked else ""
    name = "\\n".join(_wrapped(box.name, _plain))
    return f'rectangle "{name}\\n{_plain(box.uid)}" as {box.alias} [[{box.href}]]{thick}'


PLANTUML_STROKES = {Stroke.SOLID: "", Stroke.DASHED: ",dashed", Stroke.DOTTED: ",dotted"}


def _plantuml_line(line: Line) -> str:
    style = f"[{line.tone.colour}{PLANTUML_STROKES[line.tone.stroke]}]"
    label = f" : [[{line.href} {_plain(line.label)}]]" if line.label else ""
    return f"{line.source} -{style}-> {line.target}{label}"


def _framed(
    drawn: Picture,
    opened: Callable[[Group], str],
    closed: Callable[[], str],
    box: Callable[[Box], str],
) -> Iterator[str]:
    """Write each frame with its boxes inside, then the boxes that stand alone."""
    for group in drawn.groups:
        yield opened(group)
        yield from (box(inside) for inside in drawn.boxes if inside.group == group.alias)
        yield closed()
    yield from (box(alone) for alone in drawn.boxes if alone.group is None)
