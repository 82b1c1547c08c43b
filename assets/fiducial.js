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

// Rows of <table data-keys>: arrows move between rows and cells, w opens "why", e goes to the export.
// Only while the focus is in the table, so no key is taken from the rest of the page; but where the
// focus is nowhere, arrows enter a <table data-keys="page">. Letters never work outside of a table.
const REACHED = "a:not(.why), button, summary, .why";
function rowsOf(table) {
  return [...table.querySelectorAll("tbody > tr:not(.beneath)")].filter((row) => row.querySelector(REACHED));
}
function inCell(cell) {
  return cell?.querySelector("a:not(.why), button, summary") ?? cell?.querySelector(".why");
}
function cellAt(row, column) {
  return inCell(row?.cells[column]) ?? row?.querySelector(REACHED);
}
function beside(row, column, step) {
  for (let at = column + step; at >= 0 && at < row.cells.length; at += step) {
    const found = inCell(row.cells[at]);
    if (found) return found;
  }
  return null;
}
function onTableKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target === document.body || event.target.id === "main") {
    const rows = document.querySelector('table[data-keys="page"]');
    if (!rows || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    cellAt(rowsOf(rows)[0], 0)?.focus();
    return;
  }
  const table = event.target.closest("table[data-keys]");
  if (!table || event.target.matches("input, select, textarea")) return;
  const rows = rowsOf(table);
  let row = event.target.closest("tbody > tr");
  if (row?.classList.contains("beneath")) row = row.previousElementSibling;
  const column = Math.max(0, event.target.closest("tr.beneath") ? 0 : event.target.closest("td, th")?.cellIndex ?? 0);
  const here = rows.indexOf(row);
  const moves = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 };
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  let target = null;
  if (event.key in moves) target = rows[moves[event.key]] && cellAt(rows[moves[event.key]], column);
  else if (event.key in steps) target = row && beside(row, column, steps[event.key]);
  else if (event.key === "w") (row?.cells[column]?.querySelector("[data-cell-why]") ?? row?.querySelector("[data-why]"))?.click();
  else if (event.key === "e") target = document.querySelector("[data-export]");
  else return;
  event.preventDefault();
  target?.focus();
}
document.addEventListener("keydown", onTableKey);

// <button data-copy="text"> copies and says so in its own words; <button data-copy-from="id"> copies what stands there.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy], button[data-copy-from]");
  if (!button) return;
  const { copy, copyFrom } = button.dataset;
  const whole = copyFrom && document.getElementById(copyFrom);
  const text = whole ? whole.textContent : copy.startsWith("/") ? location.origin + copy : copy;
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // What is on the page already is marked to be copied by hand.
    if (whole) getSelection().selectAllChildren(whole);
    button.textContent = whole ? "Marked: copy it by hand" : text;
  }
  setTimeout(() => { button.textContent = label; }, 2000);
});
