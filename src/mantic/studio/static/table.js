// Tables that are sorted by a click on a head, and filtered by a word or by what a column holds.
"use strict";

{
  const FEW = 4; // rows; fewer are seen at once
  const MOST = 6; // kinds of value that are offered as a choice
  const TIMES = { k: 1e3, million: 1e6, billion: 1e9, trillion: 1e12 };
  let number = 0;

  /** Return a cell's text as a number; what is none has none. */
  function amount(text) {
    const found = /^([-+<>]?\s?[\d,]*\.?\d+(?:e[-+]?\d+)?)\s*(k|million|billion|trillion)?/i.exec(text);
    return found ? Number(found[1].replace(/[,<>\s]/g, "")) * (TIMES[found[2]] ?? 1) : NaN;
  }

  /** Return what a cell says, also where it is folded away. */
  const words = (cell) => cell.textContent.replace(/\s+/g, " ").trim();

  class LiveTable {
    constructor(table) {
      [this.table, this.body] = [table, table.tBodies[0]];
      this.rows = [...this.body.rows];
      this.texts = this.rows.map((row) => [...row.cells].map(words));
      this.choices = new Map();
      this.heads = [...table.tHead.rows[0].cells];
      this.heads.forEach((head, column) => this.sortable(head, column));
      if (this.rows.length >= FEW) this.filters();
    }

    sortable(head, column) {
      if (head.querySelector(".unseen")) return; // a column of buttons
      const button = document.createElement("button");
      button.type = "button";
      button.className = "m-sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => this.sort(column));
    }

    sort(column) {
      const was = this.heads[column].getAttribute("aria-sort");
      const values = this.texts.map((row) => row[column] ?? "");
      const known = values.filter((text) => text !== "" && text !== "–");
      const isNumber = known.length > 0 && known.every((text) => !Number.isNaN(amount(text)));
      const isDown = was ? was === "ascending" : isNumber;
      const value = (at) => (isNumber ? amount(values[at]) : values[at]);
      const order = this.rows.map((_, at) => at).sort((a, b) => {
        const gone = [a, b].map((at) => (isNumber ? Number.isNaN(value(at)) : values[at] === "" || values[at] === "–"));
        if (gone[0] || gone[1]) return gone[0] - gone[1];
        const how = isNumber ? value(a) - value(b) : value(a).localeCompare(value(b), undefined, { numeric: true });
        return (isDown ? -how : how) || a - b;
      });
      for (const head of this.heads) head.removeAttribute("aria-sort");
      this.heads[column].setAttribute("aria-sort", isDown ? "descending" : "ascending");
      this.body.append(...order.map((at) => this.rows[at]));
    }

    filters() {
      const fold = document.createElement("details");
      fold.className = "m-filter no-print";
      fold.innerHTML = "<summary>Filter</summary><div></div>";
      const bar = fold.lastElementChild;
      const find = this.field(bar, "Find", document.createElement("input"));
      find.type = "search";
      this.find = find;
      this.heads.forEach((head, column) => this.choice(bar, words(head), column));
      this.count = document.createElement("span");
      this.count.setAttribute("role", "status");
      bar.append(this.count);
      bar.addEventListener("input", () => this.filter());
      this.table.closest(".m-scroll, .scroll").before(fold);
    }

    field(bar, name, input) {
      const label = document.createElement("label");
      input.id = `filter${++number}`;
      label.htmlFor = input.id;
      label.textContent = name;
      bar.append(label, input);
      return input;
    }

    choice(bar, name, column) {
      const kinds = [...new Set(this.texts.map((row) => row[column] ?? ""))];
      const isWord = kinds.some((text) => text && Number.isNaN(amount(text)));
      if (!name || !isWord || kinds.length < 2 || kinds.length > MOST || kinds.length > this.rows.length / 2) return;
      const select = this.field(bar, name, document.createElement("select"));
      select.add(new Option("all", ""));
      for (const kind of kinds.sort()) select.add(new Option(kind || "(empty)", `=${kind}`));
      this.choices.set(column, select);
    }

    filter() {
      const word = this.find.value.trim().toLowerCase();
      let shown = 0;
      this.rows.forEach((row, at) => {
        const texts = this.texts[at];
        const fits = [...this.choices].every(([column, select]) => !select.value || select.value === `=${texts[column] ?? ""}`);
        row.hidden = !fits || !texts.some((text) => text.toLowerCase().includes(word));
        shown += !row.hidden;
      });
      this.count.textContent = shown < this.rows.length ? `${shown} of ${this.rows.length} rows` : "";
    }
  }

  const look = () => document.querySelectorAll(".m-grid table:not([data-live]), table[data-sort]:not([data-live])").forEach((table) => {
    table.dataset.live = "";
    const heads = table.tHead?.rows[0].cells ?? [];
    const isList = heads.length > 2 && [...heads].every((head) => head.tagName === "TH") && words(heads[0]) !== "what"; // others are read from the top
    if (isList && table.tBodies[0].rows.length > 1) new LiveTable(table);
  });
  document.body.addEventListener("htmx:afterSettle", look);
  look();
}
