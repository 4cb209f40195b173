// A table of any length: only what is seen is in the page, and only what was seen was asked for.
"use strict";

const HEIGHT = 32, WIDTH = 144, STEP = 100, WIDE = 20;
const MOST = 4_000_000; // pixels that browsers scroll without rounding; longer tables are scrolled by share

class Grid {
  constructor(box) {
    this.box = box;
    this.address = box.dataset.grid;
    this.n = Number(box.dataset.rows);
    this.names = JSON.parse(box.dataset.columns);
    this.pieces = new Map();
    this.build();
    this.draw();
  }

  build() {
    const make = (tag, name, parent) => {
      const one = document.createElement(tag);
      one.className = name;
      return parent.appendChild(one);
    };
    this.box.replaceChildren();
    this.port = make("div", "grid-port", this.box);
    this.port.tabIndex = 0;
    this.port.setAttribute("role", "grid");
    this.port.setAttribute("aria-label", `${this.n.toLocaleString("en")} rows; arrow keys scroll`);
    this.port.setAttribute("aria-rowcount", this.n + 1);
    this.port.setAttribute("aria-colcount", this.names.length);
    this.space = make("div", "grid-space", this.port);
    this.space.setAttribute("role", "presentation");
    this.full = Math.min(MOST, this.n * HEIGHT);
    this.space.style.height = `${this.full + HEIGHT}px`;
    this.space.style.width = `${this.names.length * WIDTH + 72}px`;
    this.view = make("div", "grid-view", this.space);
    this.view.setAttribute("role", "rowgroup");
    this.port.addEventListener("scroll", () => this.later());
    this.port.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.later()).observe(this.port);
  }

  later() {
    if (!this.waits) this.waits = requestAnimationFrame(() => { this.waits = 0; this.draw(); });
  }

  key(event) {
    const page = this.port.clientHeight - 2 * HEIGHT;
    const moves = {
      ArrowDown: [0, HEIGHT], ArrowUp: [0, -HEIGHT], ArrowRight: [WIDTH, 0], ArrowLeft: [-WIDTH, 0],
      PageDown: [0, page], PageUp: [0, -page], Home: [0, -1e9], End: [0, 1e9],
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    this.port.scrollBy({ left: moves[event.key][0], top: moves[event.key][1] });
  }

  draw() {
    const { clientHeight, clientWidth, scrollTop, scrollLeft } = this.port;
    const shown = Math.ceil(clientHeight / HEIGHT) + 1;
    const share = this.full > clientHeight ? scrollTop / (this.full + HEIGHT - clientHeight) : 0;
    const first = Math.max(0, Math.min(Math.round(share * (this.n - shown + 2)), this.n - 1));
    const left = Math.floor(scrollLeft / WIDTH);
    const right = Math.min(this.names.length, left + Math.ceil(clientWidth / WIDTH) + 1);
    const rows = [this.row("grid-head", -1, left, right)];
    for (let row = first; row < Math.min(this.n, first + shown); row++) rows.push(this.row("", row, left, right));
    this.view.style.transform = `translateY(${scrollTop}px)`;
    this.view.replaceChildren(...rows);
  }

  row(name, number, left, right) {
    const row = document.createElement("div");
    row.className = `grid-row ${name}`;
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", number + 2);
    const cells = [this.cell("rowheader", number < 0 ? "row" : (number + 1).toLocaleString("en"), 0)];
    for (let column = left; column < right; column++) {
      const text = number < 0 ? this.names[column] : this.value(number, column);
      cells.push(this.cell(number < 0 ? "columnheader" : "gridcell", text, 72 + column * WIDTH, column));
    }
    row.append(...cells);
    return row;
  }

  cell(role, text, x, column) {
    const cell = document.createElement("div");
    cell.className = text === null ? "grid-cell grid-missing" : "grid-cell";
    cell.setAttribute("role", role);
    if (column !== undefined) cell.setAttribute("aria-colindex", column + 1);
    cell.textContent = text === null ? "missing" : text === undefined ? "…" : text;
    if (text) cell.title = text;
    cell.style.left = `${x}px`;
    return cell;
  }

  value(row, column) {
    const [top, left] = [Math.floor(row / STEP) * STEP, Math.floor(column / WIDE) * WIDE];
    const key = `${top} ${left}`;
    const piece = this.pieces.get(key);
    if (piece === undefined) this.load(key, top, left);
    return piece ? piece[row - top]?.[column - left] : undefined;
  }

  async load(key, row, column) {
    if (this.pieces.size > 60) this.pieces.clear();
    this.pieces.set(key, null);
    try {
      const reply = await fetch(`${this.address}?row=${row}&rows=${STEP}&column=${column}&columns=${WIDE}`);
      this.pieces.set(key, (await reply.json()).cells);
    } catch {
      this.pieces.delete(key);
      return;
    }
    this.later();
  }
}

for (const box of document.querySelectorAll("[data-grid]")) new Grid(box);
