"""The site as its visitors meet it: its routes, what is wrong with a page, and where it leads."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from fastapi import FastAPI
from playwright.sync_api import APIRequestContext, Page, expect
from starlette.routing import Mount

DESK, TELEPHONE = 1280, 390
"""Widths in pixels at which every page must be usable."""

AXE = """async ([shaped, enough]) => {
    const shapes = new Map();
    const counts = name => shaped.includes(name) || /^aria-(?!label|described|controls)/.test(name);
    const spelt = ({name, value}) => counts(name) ? `${name}=${value}` : name + !value;
    const shape = one => {
        const below = [...new Set([...one.children].map(shape))].sort();
        const text = [...one.childNodes].some(it => it.nodeType === 3 && it.data.trim());
        const said = [one.tagName, text, ...[...one.attributes].map(spelt).sort(), ...below];
        shapes.set(one, JSON.stringify(said));
        return shapes.get(one);
    };
    const more = [];
    const collect = one => {
        const met = new Map();
        for (const child of one.children) {
            const times = (met.get(shapes.get(child)) ?? 0) + 1;
            met.set(shapes.get(child), times);
            times > enough ? more.push(child) : collect(child);
        }
    };
    shape(document.body);
    collect(document.body);
    const aside = more.map(one => [one, document.createComment("")]);
    aside.forEach(([one, place]) => one.replaceWith(place));
    try {
        return await axe.run({resultTypes: ["violations"], preload: false});
    } finally {
        aside.forEach(([one, place]) => place.replaceWith(one));
    }
}"""
"""Every rule, on a page whose rows, items and cells of one shape are set aside but for the first
few while axe looks: the hundredth row of a table costs as much as the first and shows nothing new.
Of what passes only the first node is reported, and no style sheet is fetched again, which only
rules that are not in force would read."""

SHAPED = ["class", "type", "role", "scope", "hidden", "disabled", "tabindex", "style", "lang"]
"""Attributes whose values make another shape; of others it counts that they are there."""

ALIKE = 2
"""Neighbours of one shape that axe looks at."""

LINKS = """() => [...document.querySelectorAll("a[href], [hx-get], form[method=get]")].map(
    one => ["hx-get", "href", "action"].map(name => one.getAttribute(name)).find(Boolean) ?? ""
)"""

OUTLINE = """html => {
    const page = html === null ? document : new DOMParser().parseFromString(html, "text/html");
    const kinds = [...page.querySelectorAll("main *")].map(one => [
        one.tagName, one.getAttribute("class"), one.getAttribute("type"), one.getAttribute("role")
    ].join(" "));
    const headings = page.querySelectorAll("h1").length;
    return {title: page.title, headings: headings, kinds: [...new Set(kinds)]};
}"""
"""What a page consists of: the open one as it stands, or one that was fetched, without scripts."""

SERVED_WHOLE = {"/static"}
"""Addresses below which files are served, and no page is."""

ID = re.compile(r'\bid="([^"]+)"')

STILL_COMING = "[hx-trigger^=load]"
"""A part that the page fetches by itself and that is not there yet."""

SIDEWAYS = """() => [...document.querySelectorAll("body *")].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && box.right > innerWidth + 1 && getComputedStyle(one).position !== "absolute";
}).slice(0, 2).map(one => one.outerHTML.slice(0, 120))"""


@dataclass(frozen=True)
class ReadRoute:
    """A route that answers GET."""

    path: str
    pattern: re.Pattern[str]

    def takes(self, address: str) -> bool:
        """Whether an address is of this route's form."""
        return self.pattern.match(urlsplit(address).path) is not None


def read_routes(service: FastAPI) -> list[ReadRoute]:
    """Return every route of an application that answers GET, in the order it asks them."""
    found = [
        ReadRoute(route.path, route.path_regex)
        for route in _flat(service.routes)
        if "GET" in (route.methods or ())
    ]
    # Otherwise this walk no longer understands how the framework keeps its routes.
    assert {"/", "/people", "/p/{project_key}/records"} <= {route.path for route in found}
    return found


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    for route in routes:
        if hasattr(route, "effective_route_contexts"):
            yield from route.effective_route_contexts()
        elif isinstance(route, Mount):
            assert route.path in SERVED_WHOLE, f"the pages below {route.path} are not walked"
        else:
            yield route


def route_of(address: str, routes: Iterable[ReadRoute]) -> str | None:
    """Return the path of the route that answers an address: the first that takes it."""
    return next((route.path for route in routes if route.takes(address)), None)


PARTICULAR = re.compile(r"(?<=/)[A-Z][\w.%-]*|\b[0-9a-f]{7,}\b|\d+|(?<==)[^&]*")
"""What makes one address another of the same kind: ids, digests, numbers, values of a query."""

ENOUGH = 2
"""Links of one kind that are followed."""


@dataclass
class Visit:
    """What somebody's visits found: faults, the links seen, and what was asked of others."""

    origin: str
    axe: str
    faults: list[str] = field(default_factory=list)
    links: dict[str, tuple[str, APIRequestContext]] = field(default_factory=dict)
    """Address of this origin, without its fragment: the page that leads there, whose session."""
    places: dict[str, set[str]] = field(default_factory=dict)
    """Address without its fragment: the fragments that pages lead to."""
    seen_at: tuple[int, ...] = (DESK, TELEPHONE)
    """Widths at which axe looks; a page must fit both in any case."""
    every_page_at: tuple[int, ...] = (DESK,)
    """Widths at which axe looks at every page; at others at those with a kind of element that it
    has not met there yet."""
    met: dict[int, set[str]] = field(default_factory=dict)
    """By width: the kinds of element that axe has looked at."""
    asked_elsewhere: list[str] = field(default_factory=list)
    opened: dict[str, set[str]] = field(default_factory=dict)
    """Address of each page that was opened: the kinds of element that were on it."""
    openers: dict[str, Page] = field(default_factory=dict)
    """Address of each page that was opened: the browser of who opened it first."""

    def watch(self, page: Page) -> None:
        """Note every request that leaves the origin."""
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", "data:", "blob:", "about:")):
            self.asked_elsewhere.append(url)

    def open(self, page: Page, address: str, status: int = 200) -> None:
        """Open an address and look at its page at both widths."""
        _widen(page, DESK)
        response = page.goto(address)
        assert response is not None
        if response.status != status:
            self.faults.append(f"{address}: answered {response.status}, not {status}")
        self.openers.setdefault(address, page)
        outline = page.evaluate(OUTLINE, response.text())
        self.opened.setdefault(address, set()).update(outline["kinds"])
        self.look(page, address)

    def meet_again(self, page: Page, address: str, refused: bool) -> None:
        """Have somebody else ask for an address; look at the page if it holds anything new."""
        if self.openers[address] is page:
            return
        answer = page.request.get(address)
        if answer.status != (403 if refused else 200):
            self.faults.append(f"{address}: answered {answer.status}, refused: {refused}")
        outline = page.evaluate(OUTLINE, answer.text())
        if outline["headings"] != 1 or not outline["title"].removesuffix(" · Fiducial").strip():
            self.faults.append(f"{address}: title {outline['title']!r}, {outline['headings']} h1")
        if not refused and not set(outline["kinds"]) <= self.opened[address]:
            self.open(page, address)

    def look(self, page: Page, name: str) -> None:
        """Look at the page as it stands at both widths."""
        self.faults += [f"{name}: {fault}" for fault in self._faults(page)]
        for link in page.evaluate(LINKS):
            self._follow(page, link, name)
        _widen(page, DESK)

    def _faults(self, page: Page) -> Iterator[str]:
        expect(page.locator(STILL_COMING)).to_have_count(0, timeout=30_000)
        if not page.title().removesuffix(" · Fiducial").strip():
            yield "no title"
        headings = page.locator("h1").count()
        if headings != 1:
            yield f"{headings} main headings"
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
        if len(ids) > len(set(ids)):
            yield f"one id twice: {sorted({one for one in ids if ids.count(one) > 1})}"
        kinds = set(page.evaluate(OUTLINE, None)["kinds"])
        if not page.locator("a.skip").count():
            if page.locator("header").count():
                yield "no link past the head of the page"
        elif not kinds <= self.met.get(DESK, set()):
            yield from _keyboard(page)
        for width in (DESK, TELEPHONE):
            _widen(page, width)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                yield f"scrolls sideways at {width} px: {page.evaluate(SIDEWAYS)}"
            if width not in self.seen_at or not self._is_new(kinds, width):
                continue
            if not page.evaluate("'axe' in window"):
                page.evaluate(self.axe)
            result = page.evaluate(AXE, [SHAPED, ALIKE])
            assert len(result["passes"]) > 5
            for found in result["violations"]:
                yield f"{found['id']} at {width} px: {found['nodes'][0]['html'][:160]}"

    def _is_new(self, kinds: set[str], width: int) -> bool:
        met = self.met.setdefault(width, set())
        new = width in self.every_page_at or not kinds <= met
        met |= kinds
        return new

    def _follow(self, page: Page, link: str, name: str) -> None:
        address, fragment = urldefrag(urljoin(page.url, link))
        if not address.startswith(f"{self.origin}/"):
            return
        self.links.setdefault(address, (name, page.context.request))
        if fragment:
            self.places.setdefault(address, set()).add(fragment)

    def dead_ends(self) -> list[str]:
        """Follow links of every kind; return those that lead nowhere.

        Links are of a kind where they differ in ids, numbers and words of a query alone; of each
        kind some are followed, and all that lead to a place within a page are held against it.
        """
        found = []
        kinds: Counter[str] = Counter()
        for address, (name, session) in sorted(self.links.items()):
            kind = PARTICULAR.sub("*", address)
            kinds[kind] += 1
            if kinds[kind] > ENOUGH:
                continue
            answer = session.get(address)
            if answer.status != 200:
                found.append(f"{address} answers {answer.status}; {name} leads there")
                continue
            missing = self.places.get(address, set()) - set(ID.findall(answer.text()))
            found += [f"{address} has no place {one}; {name} leads there" for one in missing]
        return found


def _widen(page: Page, width: int) -> None:
    if page.viewport_size != {"width": width, "height": 900}:
        page.set_viewport_size({"width": width, "height": 900})


def _keyboard(page: Page) -> Iterator[str]:
    """Whoever has no mouse reaches the content with the first stop, which must show itself."""
    inside = "document.activeElement.closest('main') !== null"
    # The keyboard starts at the place that the address names, which is past the head already.
    if page.evaluate(inside) or urlsplit(page.url).fragment:
        return
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    if skip.get_attribute("href") != "#main":
        yield "the first stop of the keyboard does not lead to the content"
        return
    box = skip.bounding_box()
    if box is None or box["x"] < 0 or box["width"] < 10:
        yield "the link to the content does not show itself when it has the focus"
    page.keyboard.press("Enter")
    if not page.evaluate(inside):
        yield "the link to the content does not move the focus there"
        return
    page.keyboard.press("Tab")
    stops = page.locator("main :is(a[href], button, input:not([type=hidden]), select, summary)")
    if stops.count() and not page.evaluate(inside):
        yield "the keyboard leaves the content before its first link"
