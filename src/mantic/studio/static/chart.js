// Charts that answer: Vega draws them anew from the data behind each drawing, when they come near the window.
// The drawing stays in the page, for printing and for whoever has no scripts.
"use strict";

{
  const own = document.currentScript.dataset; // where the libraries lie
  const NEAR = 32; // pixels from the pointer to what it means
  const STEP = 0.6; // of the range that is left when coming nearer by key
  let libraries = null, turn = Promise.resolve();

  const fetched = (address) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });

  /** Load the libraries, once, in the order in which they need each other. */
  function loaded() {
    libraries ??= fetched(own.vega).then(() => Promise.all([fetched(own.vegaLite), fetched(own.vegaInterpreter)]));
    return libraries;
  }

  function make(tag, name, parent, attributes = {}) {
    const one = document.createElement(tag);
    one.className = name;
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    return parent.appendChild(one);
  }

  class LiveChart {
    constructor(figure, block) {
      [this.figure, this.spec] = [figure, JSON.parse(block.textContent)];
      this.about = this.spec.usermeta;
      this.drawing = figure.querySelector(":scope > svg");
      [this.hidden, this.marks, this.here] = [new Set(), [], null];
    }

    build() {
      const words = this.figure.querySelector("figcaption")?.innerText.replace(/\s*\n+/g, ". ") ?? "Chart";
      const keys = this.about.ends ? " Plus and minus come nearer and go back; 0 shows all." : "";
      this.box = document.createElement("div");
      this.box.className = "m-live";
      this.head = make("div", "m-legend", this.box, { role: "group", "aria-label": "What is shown" });
      this.port = make("div", "m-plot", this.box, {
        tabindex: 0, role: "application", "aria-roledescription": "chart", "aria-label": `${words} Arrow keys read the values.${keys}`,
      });
      this.picture = make("div", "", this.port, { "aria-hidden": "true" }); // the chart's name and its values are told by us
      this.tip = make("div", "m-tip", this.box, { "aria-hidden": "true" });
      this.told = make("div", "unseen", this.box, { role: "status" });
      this.tip.hidden = true;
      this.about.series.forEach(([name, colour, isReference], number) => this.button(name, colour, isReference, number));
      this.whole = make("button", "m-whole", this.head, { type: "button" });
      this.whole.textContent = "Show all";
      this.whole.hidden = true;
      this.whole.addEventListener("click", () => { this.port.focus(); this.stretch(...this.about.ends); });
      this.head.hidden = !this.about.series.length && !this.about.ends;
      this.drawing.after(this.box);
    }

    button(name, colour, isReference, number) {
      const one = make("button", isReference ? "m-dashed" : "", this.head, { type: "button", "aria-pressed": "true" });
      one.textContent = name;
      one.style.setProperty("--tone", colour);
      one.addEventListener("click", () => {
        if (!this.hidden.delete(number)) this.hidden.add(number);
        if (this.hidden.size === this.about.series.length) this.hidden.clear();
        this.head.querySelectorAll("[aria-pressed]").forEach((each, at) => each.setAttribute("aria-pressed", !this.hidden.has(at)));
        this.change({ hidden: [...this.hidden] });
      });
    }

    async draw() {
      this.spec.height = Math.max(160, Math.round(this.drawing.getBoundingClientRect().height));
      this.build();
      this.figure.classList.add("m-drawn");
      const nothing = () => Promise.reject(new Error("a chart loads nothing"));
      this.view = new vega.View(vega.parse(vegaLite.compile(this.spec).spec, null, { ast: true }), {
        expr: vegaInterpreter, renderer: "svg", container: this.picture, hover: false, tooltip: () => {}, loader: { load: nothing, sanitize: nothing },
      });
      await this.view.runAsync();
      this.port.addEventListener("pointermove", (event) => this.point(event));
      this.port.addEventListener("pointerdown", (event) => this.point(event));
      this.port.addEventListener("pointerleave", () => this.leave());
      this.port.addEventListener("pointerup", () => this.brushed());
      this.port.addEventListener("dblclick", () => this.about.ends && this.stretch(...this.about.ends));
      this.port.addEventListener("keydown", (event) => this.key(event));
      this.port.addEventListener("focus", () => this.port.matches(":focus-visible") && this.show(this.here ?? this.found()[0]));
      this.port.addEventListener("blur", () => this.leave());
      this.figure.dataset.ready = "yes";
    }

    /** Return what can be reached, with its place in the box; measured anew after each change. */
    found() {
      const frame = this.box.getBoundingClientRect();
      if (this.marks.length && this.measured === `${frame.width} ${frame.height}`) return this.marks;
      this.measured = `${frame.width} ${frame.height}`;
      this.marks = [];
      const walk = (mark) => {
        for (const item of mark.items ?? []) {
          if (item.marktype || item.items) walk(item);
          else if (mark.name?.startsWith("hit") && item._svg) this.marks.push(this.measure(item, frame));
        }
      };
      walk(this.view.scenegraph().root);
      const plot = this.port.getBoundingClientRect();
      this.marks = this.marks.filter((one) => one.x >= plot.left - frame.left - 1 && one.x <= plot.right - frame.left + 1);
      return this.marks;
    }

    measure(item, frame) {
      const area = item._svg.getBoundingClientRect();
      const [left, top] = [area.left - frame.left, area.top - frame.top];
      return { item, left, top, right: left + area.width, bottom: top + area.height, x: left + area.width / 2, y: top + area.height / 2 };
    }

    point(event) {
      if (event.type === "pointermove" && event.buttons) return this.leave(); // a range is being drawn
      const frame = this.box.getBoundingClientRect();
      const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
      const far = (one) => Math.hypot(Math.max(one.left - x, 0, x - one.right), Math.max(one.top - y, 0, y - one.bottom));
      let best = null, least = NEAR;
      for (const one of this.found()) {
        const distance = far(one) + Math.hypot(one.x - x, one.y - y) / 1e4;
        if (distance < least) [best, least] = [one, distance];
      }
      if (best) this.show(best);
      else this.leave();
    }

    show(one) {
      if (!one) return;
      this.here?.item._svg?.classList.remove("m-here");
      this.here = one;
      one.item._svg.classList.add("m-here");
      const [first, ...others] = one.item.datum.told.split("\n");
      const head = document.createElement("b");
      head.textContent = first;
      this.tip.replaceChildren(head, ...others.map((line) => Object.assign(document.createElement("span"), { textContent: line })));
      this.tip.hidden = false;
      const room = this.box.clientWidth - this.tip.offsetWidth;
      const above = one.top - this.tip.offsetHeight - 8;
      this.tip.style.left = `${Math.max(0, Math.min(one.x - this.tip.offsetWidth / 2, room))}px`;
      this.tip.style.top = `${above >= -40 ? above : one.bottom + 8}px`;
      if (document.activeElement === this.port) this.told.textContent = [first, ...others].join(", ");
    }

    leave() {
      this.tip.hidden = true;
      this.here?.item._svg?.classList.remove("m-here");
    }

    key(event) {
      const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
      const nearer = { "+": STEP, "=": STEP, "-": 1 / STEP }[event.key];
      const all = this.found();
      if (moves[event.key] && all.length) this.show(this.next(all, ...moves[event.key]));
      else if (event.key === "Home" || event.key === "End") this.show(this.along(all, this.now(all)).at(event.key === "Home" ? 0 : -1));
      else if (event.key === "Escape") this.leave();
      else if (event.key === "0" && this.about.ends) this.stretch(...this.about.ends);
      else if (nearer && this.about.ends) this.nearer(nearer);
      else return;
      event.preventDefault();
    }

    now(all) {
      const datum = this.here?.item.datum;
      return all.find((one) => one.item === this.here?.item) ?? all.find((one) => one.item.datum.told === datum?.told) ?? all[0];
    }

    /** Return what stands in a row with this one: its series, in the direction in which the chart is read. */
    along(all, now) {
      const series = all.filter((one) => one.item.datum.series === now?.item.datum.series);
      const [place, order] = [(one) => Math.round(one[this.about.along] * 10), (one) => one.item.datum.order ?? 0];
      return series.sort((a, b) => place(a) - place(b) || order(a) - order(b));
    }

    next(all, right, down) {
      const now = this.now(all);
      if (this.tip.hidden) return now;
      const isAlong = this.about.along === (right ? "x" : "y");
      if (isAlong) {
        const row = this.along(all, now);
        return row[Math.max(0, Math.min(row.indexOf(now) + right + down, row.length - 1))];
      }
      const ahead = (one) => right * (one.x - now.x) + down * (one.y - now.y);
      const aside = (one) => Math.abs(right ? one.y - now.y : one.x - now.x);
      const others = all.filter((one) => ahead(one) > 0.5 && (this.about.along === "xy" || one.item.datum.series !== now.item.datum.series));
      return others.reduce((best, one) => (ahead(one) + 4 * aside(one) < ahead(best) + 4 * aside(best) ? one : best), others[0] ?? now);
    }

    /** Come nearer to what is shown, or go back; a logarithmic axis by its powers. */
    nearer(factor) {
      const isLog = this.spec.encoding.x.scale.type === "log";
      const [to, back] = isLog ? [Math.log10, (power) => 10 ** power] : [Number, Number];
      const [low, high] = this.about.ends.map(to);
      const [left, right] = [to(this.view.signal("left")), to(this.view.signal("right"))];
      const centre = to(this.here?.item.datum.x ?? back((left + right) / 2));
      const half = Math.min((right - left) * factor, high - low) / 2;
      const from = Math.max(low, Math.min(centre - half, high - 2 * half));
      this.stretch(back(from), back(Math.min(high, from + 2 * half)));
    }

    brushed() {
      const range = this.about.ends && this.view.signal("brush")?.x;
      if (!range) return;
      const [from, to] = range.map((value) => this.view.scale("x")(value));
      this.view.signal("brush_x", []);
      if (Math.abs(to - from) > 8) this.stretch(Math.min(...range), Math.max(...range));
      else this.view.run();
    }

    stretch(left, right) {
      this.whole.hidden = left <= this.about.ends[0] && right >= this.about.ends[1];
      this.change({ left, right });
    }

    async change(signals) {
      const told = this.tip.hidden ? null : this.here?.item.datum.told;
      this.leave();
      for (const [name, value] of Object.entries(signals)) this.view.signal(name, value);
      await this.view.runAsync();
      this.marks = [];
      const again = told && this.found().find((one) => one.item.datum.told === told);
      if (again && document.activeElement === this.port) this.show(again);
    }
  }

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      watcher.unobserve(entry.target);
      const chart = new LiveChart(entry.target, entry.target.querySelector(":scope > .m-spec"));
      const free = () => new Promise((done) => setTimeout(done)); // one at a time: the page answers in between
      turn = turn.then(loaded).then(free).then(() => chart.draw());
      turn = turn.catch(() => entry.target.classList.remove("m-drawn")); // the drawing is there still
    }
  }, { rootMargin: "300px" });

  const look = () => document.querySelectorAll("figure:not([data-live]):has(> .m-spec)").forEach((figure) => {
    figure.dataset.live = "";
    watcher.observe(figure);
  });
  document.body.addEventListener("htmx:afterSettle", look);
  look();
}
