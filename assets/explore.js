// The picture of the exploratory map. Places, colours and facts all come from the server; without
// this script the page is the same content as tables.
import cytoscape from "./cytoscape.js";

const INK = "#212b32";
const QUIET = "#4c6272";
const MOVES_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 250;

const STYLE = [
  { selector: "node", style: {
    shape: "round-rectangle", width: "data(width)", height: "data(height)", "background-color": "#ffffff",
    "border-color": QUIET, "border-width": 1.2, label: "data(label)", color: INK, "font-size": 14, "font-family": "Arial, Liberation Sans, sans-serif",
    "text-valign": "center", "text-halign": "center", "text-wrap": "wrap", "text-max-width": "data(inner)",
  } },
  { selector: "node[?openable]", style: { "border-style": "double", "border-width": 4 } },
  { selector: "node:parent", style: {
    "background-color": "#f0f4f5", "border-color": "#aeb7bd", "text-valign": "top", "font-size": 14, "font-weight": 600, padding: 12,
  } },
  { selector: "node[?marked]", style: { "border-color": INK, "border-width": 3 } },
  { selector: "edge", style: {
    "curve-style": "bezier", width: "data(width)", "line-color": "data(colour)", "line-style": "data(stroke)",
    "target-arrow-shape": "triangle", "target-arrow-color": "data(colour)", "arrow-scale": 0.9, label: "data(label)", color: INK,
    "font-size": 11, "min-zoomed-font-size": 9, "text-background-color": "#ffffff", "text-background-opacity": 0.85, "text-background-padding": 1,
  } },
  { selector: ".dim", style: { opacity: 0.25 } },
  { selector: ".chosen", style: { "border-color": "#005eb8", "border-width": 4, "overlay-color": "#ffeb3b", "overlay-opacity": 0.25, "z-index": 9 } },
];

const root = document.querySelector("[data-explore]");
if (root) begin(root);

function begin(place) {
  const address = place.dataset.explore;
  const canvas = place.querySelector("#canvas");
  const panel = place.querySelector("#chosen");
  const facts = document.querySelector("#facts");
  const search = document.querySelector("[data-explore-search]");
  place.hidden = false;
  const cy = cytoscape({ container: canvas, style: STYLE, minZoom: 0.05, maxZoom: 3, boxSelectionEnabled: false, autoungrabify: true });
  let asked = 0;
  let chosen = null;

  function told(sentence) {
    const line = document.createElement("p");
    line.textContent = sentence;
    line.setAttribute("role", "status");
    panel.replaceChildren(line);
  }

  async function load(query, { again = false, parts = true, keep = null } = {}) {
    const turn = ++asked;
    canvas.setAttribute("aria-busy", "true");
    try {
      const [scene, tables] = await Promise.all([
        answer(`${address}/scene?${query}`, (found) => found.json()),
        parts ? answer(`${address}/facts?${query}`, (found) => found.text()) : null,
      ]);
      if (turn !== asked) return;
      if (tables !== null) {
        facts.innerHTML = tables;
        if (!again) history.pushState(null, "", query ? `?${query}` : location.pathname);
        agree(query);
      }
      draw(cy, scene);
      Object.assign(canvas.dataset, {
        boxes: scene.boxes.filter((box) => !box.frame).length, routes: scene.lines.length, query,
      });
      chosen = null;
      const wanted = keep ?? new URLSearchParams(query).get("focus");
      const kept = wanted && cy.nodes().filter((node) => node.data("uid") === wanted)[0];
      if (kept) choose(kept);
      else told(scene.left_out ? `${scene.left_out} more systems are not drawn: find one by its name.` : scene.told);
    } catch (error) {
      if (turn === asked) told(`The picture could not be read (${error.message}). Load the page again; the tables below stay true to their own time.`);
    } finally {
      if (turn === asked) canvas.removeAttribute("aria-busy");
    }
  }

  // The form asks on from what is shown now.
  function agree(query) {
    const now = new URLSearchParams(query);
    for (const old of search.querySelectorAll('input[type="hidden"]')) old.remove();
    for (const name of ["open", "close", "focus", "drafts"]) {
      if (!now.has(name)) continue;
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value: now.get(name) });
      search.prepend(field);
    }
    search.elements.level.value = now.get("level") ?? "0";
    search.elements.colour.value = now.get("colour") ?? "category";
    search.elements.q.value = now.get("q") ?? "";
  }

  function choose(element) {
    cy.elements().removeClass("chosen dim");
    chosen = element;
    canvas.dataset.chosen = element ? element.data("uid") ?? element.id() : "";
    if (!element) return told("Nothing is chosen.");
    const near = element.isNode() ? element.union(element.descendants()).closedNeighborhood() : element.union(element.connectedNodes());
    cy.elements().not(near.union(near.parent()).union(near.ancestors())).addClass("dim");
    element.addClass("chosen");
    panel.replaceChildren(...(element.isNode() ? aboutBox(element) : aboutLine(element)));
    const seen = cy.extent();
    const at = element.boundingBox();
    if (at.x1 < seen.x1 || at.x2 > seen.x2 || at.y1 < seen.y1 || at.y2 > seen.y2) {
      cy.animate({ center: { eles: element }, duration: MOVES_MS });
    }
  }

  function aboutBox(node) {
    const said = node.data();
    const kind = node.isParent() ? `opened, ${node.children().length} parts drawn` : `${said.routes} routes drawn`;
    const parts = [
      heading(said.uid, said.href, said.name),
      sentence([said.words, kind].filter(Boolean).join("; "), "status"),
      actions([
        [said.open && "Open", said.open, said.uid], [said.close && "Close", said.close, said.uid],
        [said.focus && "Neighbours", said.focus, said.uid],
      ], [["Plan a change", said.impact]]),
    ];
    const inside = node.union(node.descendants());
    const edges = inside.connectedEdges().sort((a, b) => a.data("order") - b.data("order"));
    const list = document.createElement("ul");
    list.className = "explore__lines";
    for (const edge of edges.toArray()) list.append(lineItem(edge, inside.contains(edge.source())));
    return edges.length ? [...parts, list] : parts;
  }

  function lineItem(edge, outward) {
    const said = edge.data();
    const item = document.createElement("li");
    const other = outward ? said.target_uid : said.source_uid;
    item.append(link(said.connections.join(" "), said.href), ` ${outward ? "to" : "from"} ${other}: ${factsOf(said)}`);
    return item;
  }

  function aboutLine(edge) {
    const said = edge.data();
    return [
      heading(said.connections.join(" "), said.href, `${said.source_uid} to ${said.target_uid}`),
      sentence(factsOf(said), "status"),
    ];
  }

  function actions(steps, links) {
    const line = document.createElement("p");
    line.className = "explore__actions";
    for (const [word, query, uid] of steps) {
      if (!word) continue;
      const step = link(word, `${address}?${query}`);
      step.dataset.exploreStep = uid;
      line.append(step);
    }
    for (const [word, href] of links) if (href) line.append(link(word, href));
    return line;
  }

  // Which box lies nearest in a direction: far sideways counts double.
  function beside(key) {
    const nodes = cy.nodes().filter((node) => !node.isParent());
    if (!chosen || !chosen.isNode()) return nodes.sort((a, b) => a.data("y") - b.data("y") || a.data("x") - b.data("x"))[0];
    const from = chosen.isParent() ? chosen.position() : chosen.data();
    let best = null;
    let least = Infinity;
    for (const node of nodes.toArray()) {
      const dx = node.data("x") - from.x;
      const dy = node.data("y") - from.y;
      const [ahead, aside] = { ArrowRight: [dx, dy], ArrowLeft: [-dx, dy], ArrowDown: [dy, dx], ArrowUp: [-dy, dx] }[key];
      const cost = ahead + 2 * Math.abs(aside);
      if (ahead > 1 && cost < least) [best, least] = [node, cost];
    }
    return best;
  }

  const zoomBy = (factor) => cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  const tools = { in: () => zoomBy(1.25), out: () => zoomBy(0.8), fit: () => cy.fit(undefined, 20) };
  const step = (query, uid) => load(query, { keep: uid });

  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const said = chosen?.data() ?? {};
    const parent = chosen?.isNode?.() ? chosen.parent().data() : undefined;
    const keys = {
      "+": tools.in, "=": tools.in, "-": tools.out, 0: tools.fit, Escape: () => choose(null),
      Enter: () => {
        if (said.open || said.close) step(said.open || said.close, said.uid);
        else if (parent?.close) step(parent.close, parent.uid);
      },
      f: () => said.focus && step(said.focus, said.uid),
      r: () => { if (said.href) location.assign(said.href); },
    };
    if (event.key.startsWith("Arrow")) {
      const next = beside(event.key);
      if (next) choose(next);
    } else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });
  cy.on("tap", (event) => choose(event.target === cy ? null : event.target));
  cy.on("dbltap", "node", (event) => {
    const said = event.target.data();
    if (said.open || said.close) step(said.open || said.close, said.uid);
  });
  place.addEventListener("click", (event) => tools[event.target.closest("[data-do]")?.dataset.do]?.());
  document.addEventListener("click", (event) => {
    const way = event.target.closest("a[data-explore-step]");
    if (!way || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    step(new URL(way.href).search.slice(1), way.dataset.exploreStep || null);
  });
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    load(formQuery(search));
  });
  for (const name of ["colour", "level"]) search.elements[name].addEventListener("change", () => load(formQuery(search)));
  addEventListener("popstate", () => load(location.search.slice(1), { again: true }));
  addEventListener("resize", () => cy.resize());
  load(location.search.slice(1), { again: true, parts: false });
}

async function answer(address, read) {
  const found = await fetch(address, { credentials: "same-origin" });
  if (!found.ok) throw new Error(`status ${found.status}`);
  return read(found);
}

function formQuery(form) {
  const said = new URLSearchParams(new FormData(form));
  if (said.get("colour") === "category") said.delete("colour");
  if (said.get("level") === "0") said.delete("level");
  if (!said.get("q")) said.delete("q");
  return said.toString();
}

// What stays keeps its eye: boxes glide from where they were, new ones from what they were part of.
function draw(cy, scene) {
  const before = new Map(cy.nodes().map((node) => [node.data("uid"), { ...node.position() }]));
  const uids = new Map(scene.boxes.map((box) => [box.id, box.uid]));
  const targets = new Map();
  const elements = [];
  for (const box of scene.boxes) {
    const data = {
      ...box, width: box.width || 1, height: box.height || 1, parent: box.within ?? undefined, inner: (box.width || 300) + 40, openable: box.open ? 1 : 0, marked: box.marked ? 1 : 0,
      label: box.frame ? `${box.name} (${box.uid})` : box.label.join("\n"),
    };
    if (!box.frame) targets.set(box.id, { x: box.x, y: box.y });
    const start = before.get(box.uid) ?? before.get(uids.get(box.within)) ?? targets.get(box.id);
    elements.push({ group: "nodes", data, position: start ? { ...start } : undefined });
  }
  scene.lines.forEach((line, order) => {
    const { colour, stroke, width } = scene.legend[line.meaning];
    elements.push({ group: "edges", data: { ...line, order, colour, stroke, width } });
  });
  cy.stop(true);
  cy.batch(() => { cy.elements().remove(); cy.add(elements); });
  const glide = before.size && MOVES_MS;
  for (const [id, position] of targets) {
    const node = cy.getElementById(id);
    if (glide) node.animate({ position, duration: MOVES_MS });
    else node.position(position);
  }
  if (glide) setTimeout(() => cy.animate({ fit: { eles: cy.elements(), padding: 20 }, duration: MOVES_MS }), MOVES_MS);
  else cy.fit(undefined, 20);
}

function factsOf(said) {
  return [said.category === "dicom" ? "DICOM" : said.category, said.data.join(", "), said.status === "no QA" ? "no QA" : `QA: ${said.status}`, `risk: ${said.risk}`]
    .filter(Boolean).join("; ");
}
function link(text, href) {
  const made = document.createElement("a");
  Object.assign(made, { textContent: text, href });
  return made;
}
function heading(uid, href, name) {
  const made = document.createElement("h2");
  const way = link(uid, href);
  way.className = "uid";
  made.append(way, ` ${name}`);
  return made;
}
function sentence(text, role) {
  const made = document.createElement("p");
  made.textContent = text;
  if (role) made.setAttribute("role", role);
  return made;
}
