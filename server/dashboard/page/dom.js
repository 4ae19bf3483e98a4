/**
 * How the page is changed. What workers say goes through here as text only: names, models and labels are whatever
 * somebody with a worker secret chose.
 */

/** @param {string} id */
function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`Cannot find #${id}`);
  return element;
}

/** @param {string} id */
function inputById(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** Only what differs is touched, so that a selection of text survives.
 * @param {Element} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} tag @param {string} className @param {string} [text] */
function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/**
 * What stands in a cell.
 * @typedef {{ text: string, className?: string, chips?: readonly string[], share?: number, small?: string }} Cell
 */

/** More of them nobody reads in a row; the pointer shows them all. */
const CHIPS_MAX = 6;

/**
 * Fill the body of a table: a row for each entry, its first cell the row's heading. `.empty` behind the table stands
 * in for no rows.
 * @param {string} id @param {readonly Cell[][]} rows
 */
function fillTable(id, rows) {
  const table = /** @type {HTMLTableElement} */ (byId(id));
  const body = table.tBodies[0];
  if (!body) throw new Error(`Cannot fill #${id}: it has no body`);
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, at) => {
    fillRow(body.rows[at] ?? body.insertRow(), cells);
  });
  const region = table.parentElement;
  const empty = region?.nextElementSibling;
  if (!region || !empty?.classList.contains("empty")) return;
  region.hidden = rows.length === 0;
  /** @type {HTMLElement} */ (empty).hidden = rows.length > 0;
}

/** @param {HTMLTableRowElement} row @param {readonly Cell[]} cells */
function fillRow(row, cells) {
  cells.forEach((cell, at) => {
    const element = row.cells[at] ?? row.appendChild(document.createElement(at === 0 ? "th" : "td"));
    if (at === 0) element.scope = "row";
    // What it shows, as one text: cells that show the same stay as they are.
    const shown = JSON.stringify(cell);
    if (element.dataset.shown === shown) return;
    element.dataset.shown = shown;
    element.className = cell.className ?? "";
    element.replaceChildren(...cellContent(cell));
  });
}

/** @param {Cell} cell @returns {(Node | string)[]} */
function cellContent({ text, chips, share, small }) {
  return [
    text,
    ...(chips ? [chipList(chips)] : []),
    ...(small === undefined ? [] : [document.createElement("br"), make("small", "faint", small)]),
    ...(share === undefined ? [] : [meter(share)]),
  ];
}

/** @param {readonly string[]} chips */
function chipList(chips) {
  const list = make("span", "chips");
  for (const text of chips.slice(0, CHIPS_MAX)) {
    const chip = make("span", "chip", text);
    chip.title = text;
    list.append(chip);
  }
  const rest = chips.slice(CHIPS_MAX);
  if (rest.length > 0) {
    const more = make("span", "faint", `and ${rest.length} more`);
    more.title = rest.join(", ");
    list.append(more);
  }
  return list;
}

/** A bar that is filled up to `share`, 0 to 1. The text beside it says the same. @param {number} share */
function meter(share) {
  const bar = make("span", "meter");
  const filled = make("span", "");
  filled.style.width = `${Math.min(1, Math.max(0, share)) * 100}%`;
  bar.append(filled);
  bar.setAttribute("aria-hidden", "true");
  return bar;
}

/** @param {number} seconds */
function durationText(seconds) {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** Three digits that count. @param {number} value */
function shortNumber(value) {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
