// What the pages do beyond plain HTML. Everything here is a comfort: without it every page still works.
import { Button, ErrorSummary } from "./nhsuk.js";

// Each part comes to life once: a part that a swap leaves in place would refuse a second time.
// Remembered here and not read from the part, because a morph may take the attribute off again.
const alive = new WeakSet();
function enliven() {
  for (const Component of [Button, ErrorSummary]) {
    for (const part of document.querySelectorAll(`[data-module="${Component.moduleName}"]`)) {
      if (alive.has(part)) continue;
      alive.add(part);
      new Component(part);
    }
  }
}
// A table that is wider than its place scrolls there, so the keyboard must be able to stop at it.
function reachScrolling() {
  for (const box of document.querySelectorAll(".table-fit")) {
    const caption = box.querySelector("caption")?.textContent ?? "Table";
    const told = { tabindex: "0", role: "region", "aria-label": caption };
    const scrolls = box.scrollWidth > box.clientWidth;
    for (const [name, value] of Object.entries(told)) {
      if (scrolls) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
  }
}

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
function settle() { enliven(); reachScrolling(); }
settle();
addEventListener("resize", reachScrolling);
document.addEventListener("htmx:after:swap", settle);
document.addEventListener("toggle", reachScrolling, true);

// Menus (a <details class="menu">) close on Escape and on a click elsewhere.
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest("details.menu[open]");
  closeMenus(null);
  menu?.querySelector("summary").focus();
});

// Rows of <table data-keys>: arrows move between rows, w opens "why", e goes to the export.
// Only while the focus is in the table, so no key is taken from the rest of the page.
function rowLinks(table) {
  return [...table.querySelectorAll("tbody > tr:not(.beneath)")]
    .map((row) => row.querySelector("a, button, summary"))
    .filter(Boolean);
}
function onTableKey(event) {
  const table = event.target.closest("table[data-keys]");
  const typing = event.target.matches("input, select, textarea");
  if (!table || typing || event.altKey || event.ctrlKey || event.metaKey) return;
  const row = event.target.closest("tbody > tr");
  const links = rowLinks(table);
  const here = links.findIndex((link) => link.closest("tr") === row);
  const moves = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: links.length - 1 };
  let target = null;
  if (event.key in moves) target = links[moves[event.key]];
  else if (event.key === "w") row?.querySelector("[data-why]")?.click();
  else if (event.key === "e") target = document.querySelector("[data-export]");
  else return;
  event.preventDefault();
  target?.focus();
}
document.addEventListener("keydown", onTableKey);

// <button data-copy="text"> copies and says so in its own words.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = button.dataset.copy.startsWith("/") ? location.origin + button.dataset.copy : button.dataset.copy;
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = text;
  }
  setTimeout(() => { button.textContent = label; }, 2000);
});
