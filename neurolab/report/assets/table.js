// The table of all points: sorted, filtered, and with only the rows in view in the page.

const ROW = () => Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * 2.15);

/** The columns: heading, unit, the value to sort by and its text. */
function columns() {
  const found = [{ name: "point", get: (p) => p, text: String, numeric: true }];
  for (const key of KEYS) found.push({ name: key.name, unit: key.numeric ? key.unit : "", numeric: key.numeric,
    get: (p) => keyValue(key, p), text: (v) => (key.numeric ? number(v) : String(v)) });
  found.push({ name: "status", get: statusOf, text: String });
  for (const value of VALUES) found.push({ name: value.name, unit: value.unit, numeric: true,
    get: (p) => value.of[p], text: number });
  if (Object.keys(data.messages).length) found.push({ name: "message", get: (p) => data.messages[p] || "", text: String });
  return found;
}

/** `open` is called with a point, `chosen` with which of all points a filter leaves, or null without one. */
function sweepTable(open, chosen = () => {}) {
  const all = columns(), tall = ROW();
  const [sortedBy, way] = (address.get("sort") || "").split(" ");
  let order = Array.from({ length: N }, (_, i) => i), selected = -1;
  let sort = { column: all.find(({ name }) => name === sortedBy) ?? all[0], up: way !== "down" };
  const box = h("input", { type: "search", id: "filter", placeholder: "rate_hz>20   b=5   diverged", spellcheck: "false",
    autocomplete: "off", "aria-describedby": "filter-told", value: address.get("filter"),
    oninput: () => { address.set("filter", box.value.trim()); choose(); } });
  const told = h("p.hint", { id: "filter-told", "aria-live": "polite" });
  const heads = all.map((column) => h("th", { scope: "col", "aria-sort": "none" },
    h("button", { type: "button", onclick: () => by(column) }, column.name,
      column.unit ? h("small", {}, ` ${column.unit}`) : null, h("span.arrow", { "aria-hidden": "true" }))));
  heads.forEach((head, i) => { if (all[i].numeric) head.classList.add("number"); });
  const body = h("tbody");
  const table = h("table.points", { "aria-rowcount": N + 1 }, h("thead", {}, h("tr", {}, heads)), body);
  const view = h("div.view", { tabindex: 0, role: "region", "aria-label": "points" }, table);
  const render = perFrame(show);
  view.addEventListener("scroll", render);
  view.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    const at = order.indexOf(selected);
    if (event.key === "Enter" && at >= 0 && event.target === view) open([selected]);
    if (!step || !order.length) return;
    event.preventDefault();
    select(order[Math.max(0, Math.min(order.length - 1, at < 0 ? 0 : at + step))], true);
    focus(selected);
  });

  function by(column) {
    sort = { column, up: sort.column === column ? !sort.up : true };
    address.set("sort", column === all[0] && sort.up ? null : `${column.name} ${sort.up ? "up" : "down"}`);
    choose();
  }

  function choose() {
    const { test, why } = readFilter(box.value, all);
    box.setAttribute("aria-invalid", String(Boolean(why)));
    if (why) { told.textContent = why; return; }
    order = [];
    for (let p = 0; p < N; p++) if (test(p)) order.push(p);
    const lit = order.length < N ? new Uint8Array(N) : null;
    if (lit) for (const p of order) lit[p] = 1;
    chosen(lit);
    const { column: { get, numeric }, up } = sort;
    order.sort((a, b) => {
      const one = get(a), other = get(b);
      if (one === null || other === null) return (one === null) - (other === null) || a - b; // unknown: last
      const way = numeric ? one - other : String(one).localeCompare(String(other), "en", { numeric: true });
      return (up ? way : -way) || a - b;
    });
    heads.forEach((head, i) => {
      const here = all[i] === sort.column;
      head.setAttribute("aria-sort", here ? (up ? "ascending" : "descending") : "none");
      head.querySelector(".arrow").textContent = here ? (up ? " ▲" : " ▼") : "";
    });
    told.textContent = order.length === N ? plural(N, "point") : `${number(order.length)} of ${plural(N, "point")}`;
    view.scrollTop = 0;
    show();
  }

  function show() {
    const from = Math.max(0, Math.floor(view.scrollTop / tall) - 10);
    const to = Math.min(order.length, from + Math.ceil((view.clientHeight || 700) / tall) + 20);
    const space = (rows) => h("tr.space", { "aria-hidden": "true", style: `height:${rows * tall}px` }, h("td", { colspan: all.length }));
    const held = body.contains(document.activeElement) ? document.activeElement.closest("tr").dataset.point : null;
    body.replaceChildren(space(from), ...order.slice(from, to).map((p, i) => row(p, from + i)), space(order.length - to));
    if (held !== null) focus(held);
  }

  /** Puts the focus on the button of a point, or on the table where its row is not in view. */
  function focus(point) {
    (body.querySelector(`tr[data-point="${point}"] button`) ?? view).focus({ preventScroll: true });
  }

  function row(point, at) {
    const cells = all.map((column) => {
      if (column.name === "status") return h("td", {}, badge(statusOf(point)));
      const text = column.text(column.get(point));
      if (column.name === "point") return h("td.number", {}, h("button.link", { type: "button",
        "aria-label": `point ${point}`, onclick: (event) => { event.stopPropagation(); open([point]); } }, text));
      return h(column.numeric ? "td.number" : "td", column.name === "message" ? { title: text } : {}, text);
    });
    return h("tr", { "aria-rowindex": at + 2, "aria-current": String(point === selected), "data-point": point,
      style: `height:${tall}px`, onclick: () => open([point]) }, cells);
  }

  /** Marks a point; `near` scrolls the table to it. */
  function select(point, near = false) {
    selected = point;
    const at = order.indexOf(point);
    if (near && at >= 0) {
      const top = at * tall, shown = view.clientHeight - 2 * tall;
      if (top < view.scrollTop || top > view.scrollTop + shown) view.scrollTop = Math.max(0, top - shown / 2);
    }
    show();
  }

  /** Filters by limits of columns, instead of those that they have. */
  function limit(limits) {
    box.value = limited(box.value, all, limits);
    address.set("filter", box.value.trim());
    choose();
  }

  const element = card("Points", h("div.row", {}, h("label.filter", { for: "filter" }, "Filter ", box), told), view);
  choose();
  return { element, select, focus, limit, order: () => order };
}
