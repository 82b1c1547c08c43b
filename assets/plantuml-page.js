// Draws the PlantUML text of a page in the browser, and lets through only what a picture needs.
// The engine is plain JavaScript here: without its WebAssembly layout it uses its own, so the
// page needs no exception from the content security policy.
const SVG = "http://www.w3.org/2000/svg";
const PAINT = ["fill", "stroke", "stroke-width", "stroke-dasharray"];
const PLACE = ["x", "y", "width", "height", "rx", "ry", "x1", "y1", "x2", "y2", "cx", "cy", "d", "points", "transform"];
const WORDS = ["text-anchor", "font-family", "font-size", "font-weight", "font-style", "textLength", "lengthAdjust"];
const ALLOWED = new Set([...PAINT, ...PLACE, ...WORDS, "viewBox", "id"]);
const ELEMENTS = new Set(["svg", "g", "title", "a", "path", "rect", "line", "polygon", "polyline", "ellipse", "circle", "text"]);

// The engine writes colours as styles, which our policy refuses to apply: they are set aside here
// before the browser sees them, and come back below as plain attributes.
const setAttribute = Element.prototype.setAttribute;
SVGElement.prototype.setAttribute = function setAside(name, value) {
  return setAttribute.call(this, name === "style" ? "data-style" : name, value);
};

function rebuilt(element) {
  if (element.namespaceURI !== SVG || !ELEMENTS.has(element.localName)) return null;
  const made = document.createElementNS(SVG, element.localName);
  const told = new Map([...element.attributes].map((one) => [one.name, one.value]));
  for (const declaration of (told.get("data-style") ?? "").split(";")) {
    const [name, value] = declaration.split(":").map((part) => part.trim());
    if (PAINT.includes(name) && value) told.set(name, value);
  }
  for (const [name, value] of told) {
    if (ALLOWED.has(name) && !/url\s*\(/i.test(value)) made.setAttribute(name, value);
  }
  if (element.localName === "a") {
    const href = element.getAttribute("href") ?? element.getAttribute("xlink:href") ?? "";
    if (/^\/(?![/\\])/.test(href)) made.setAttribute("href", href);
  }
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE && ["text", "title"].includes(element.localName)) made.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE) {
      const kept = rebuilt(child);
      if (kept) made.append(kept);
    }
  }
  return made;
}

async function draw(place) {
  const told = document.getElementById("plantuml-told");
  const text = document.getElementById(place.dataset.from).textContent;
  told.textContent = "The browser is drawing; that takes some seconds.";
  const started = performance.now();
  try {
    const { renderToString } = await import("./plantuml.js");
    const svg = await new Promise((drawn, refused) => {
      renderToString(text.split("\n"), drawn, (reason) => refused(new Error(String(reason))));
    });
    const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    const safe = rebuilt(parsed);
    if (!safe) throw new Error("what came back is no picture");
    place.replaceChildren(safe);
    place.hidden = false;
    told.textContent = `Drawn by PlantUML in this browser in ${((performance.now() - started) / 1000).toFixed(1)} s; nothing was sent anywhere.`;
    place.dataset.drawn = "yes";
  } catch (error) {
    told.textContent = `The browser could not draw it: ${error.message}`;
    place.dataset.drawn = "no";
  }
}

const place = document.getElementById("plantuml-drawing");
if (place) draw(place);
