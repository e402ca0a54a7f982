// A point beside the page: its parameters, values, command and run; and another that was pinned, to compare them.

function drawer(moved) {
  let group = [], point = -1, shown = [];
  const typed = Number(address.get("pinned") ?? NaN);
  let pinned = Number.isInteger(typed) && typed >= 0 && typed < N ? typed : null;
  const inside = h("div.inside");
  const panel = h("aside.drawer", { id: "drawer", "aria-label": "point", tabindex: -1, hidden: true }, inside);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !panel.hidden) close(); });
  let before = null;

  function close() {
    panel.hidden = true;
    address.set("point", null);
    moved.closed();
    document.body.classList.remove("beside", "two");
    if (before?.isConnected && before !== document.body) before.focus({ preventScroll: true });
    else moved.focus(point); // the row it was opened from has been made anew
    dispatchEvent(new Event("resize"));
  }

  /** Shows the first of these points; the others are offered beside it. */
  function open(points) {
    if (panel.hidden) before = document.activeElement;
    group = points;
    show(points[0]);
    if (panel.hidden) {
      panel.hidden = false;
      document.body.classList.add("beside");
      dispatchEvent(new Event("resize"));
      panel.focus({ preventScroll: true });
    }
    picture();
  }

  function go(step) {
    const order = moved.order(), at = order.indexOf(point);
    const next = order[at + step];
    if (next === undefined) return;
    group = [next];
    show(next);
    picture();
  }

  const nameOf = (element) => element.getAttribute("aria-label") ?? element.textContent;
  /** Rows of a name and the text of each of these points. */
  const table = (points, rows) => h("table.values", {},
    points.length > 1 ? h("thead", {}, h("tr", {}, h("td"), points.map((p) => h("th", { scope: "col" }, nameOfPoint(p))))) : null,
    h("tbody", {}, rows.map(([name, of]) => {
      const texts = points.map(of);
      return h(new Set(texts).size > 1 ? "tr.differs" : "tr", {}, h("th", { scope: "row" }, name), texts.map((text) => h("td", {}, text)));
    })));
  const nameOfPoint = (p) => (p === pinned ? `point ${p}, pinned` : `point ${p}`);
  function pin() {
    pinned = pinned === point ? null : point;
    address.set("pinned", pinned);
    show(point);
    picture();
  }

  function show(which) {
    point = which;
    address.set("point", point);
    moved.select(point, true);
    const button = (text, label, act) => h("button.quiet", { type: "button", "aria-label": label, title: label, onclick: act }, text);
    const several = group.length > 1 ? h("p.hint", {}, `One of ${group.length} points here: `,
      group.slice(0, 40).map((p) => h("button.link", { type: "button", "aria-current": String(p === point),
        onclick: () => { show(p); picture(); } }, String(p)))) : null;
    const points = pinned === null || pinned === point ? [point] : [pinned, point], two = points.length > 1;
    for (const element of [panel, document.body]) element.classList.toggle("two", two);
    shown = points.map((p) => ({ p, told: h("p.hint"), place: h("div.figure.small", { id: p === point ? "point-raster" : "pinned-raster",
      role: "group", "aria-label": `spikes of point ${p}` }) }));
    const held = inside.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    const known = VALUES.filter((value) => !value.population || points.some((p) => value.of[p] !== null));
    const textOf = (value) => (p) => withUnit(number(value.of[p], 6), value.of[p] === null ? "" : value.unit);
    inside.replaceChildren(...[
      h("div.row.head", {}, h("h2", {}, two ? `Points ${points.join(" and ")}` : `Point ${point}`), badge(statusOf(point)),
        h("div.buttons", {}, button(pinned === point ? "Unpin" : "Pin", pinned === point ? "let go of this point" : "keep this point beside the next", pin),
          button("←", "the point before in the table", () => go(-1)),
          button("→", "the next point in the table", () => go(1)), button("Close", "close", close))),
      several,
      ...points.filter((p) => data.messages[p]).map((p) => h("p.message", { "data-status": statusOf(p) }, `${two ? `Point ${p}: ` : ""}${data.messages[p]}`)),
      h("h3", {}, "Parameters"),
      KEYS.length ? table(points, KEYS.map((key) => [key.name, (p) => valueText(key, keyValue(key, p), 6)])) : h("p.hint", {}, "None was swept."),
      h("h3", {}, "Values"), table(points, known.map((value) => [value.name, textOf(value)])),
      ...shown.flatMap(({ p, told, place }) => [h("h3", {}, two ? `Run of ${nameOfPoint(p)}` : "Run"), told, place,
        data.folders ? h("p", {}, h("a", { href: `${p}/report.html` }, "Its page: traces, intervals, configuration")) : null]),
      h("h3", {}, "Computed alone by"), ...points.map((p) => copyable(commandOf(p)))].filter(Boolean));
    if (held !== null) ([...inside.querySelectorAll("button, a")].find((e) => nameOf(e) === held) ?? panel).focus({ preventScroll: true });
  }

  let ready = false, lasted = null, kept = null; // the arrays, decoded when first asked for
  const picture = () => shown.forEach(raster);
  function raster({ p: which, place, told }) {
    const { spikes } = data;
    place.hidden = true;
    if (spikes.why) { told.textContent = spikes.why; return; }
    if (!ready) return; // the plotting library is still being read: it is drawn then
    if (typeof Plotly === "undefined") { told.textContent = "The plotting library is missing, see the top of the page."; return; }
    kept ??= { time: array("spike_time"), neuron: array("spike_neuron"), end: array("spike_end"), shown: array("shown_of"), begins: array("start_ms") };
    const start = which ? kept.end[which - 1] : 0, end = kept.end[which];
    if (end === undefined || (start === end && !completed(which))) {
      told.textContent = completed(which) ? "No spikes." : "Nothing was recorded of this point.";
      return;
    }
    lasted ??= array("lasted_ms");
    const long = spikes.window_ms > 5000, unit = long ? "s" : "ms", scale = long ? 1e-3 : 1;
    const window = spikes.window_ms * scale, begin = (kept.begins?.[which] ?? 0) * scale; // of what was recorded
    const until = begin + Math.min(window, lasted[which] * scale - begin); // what was simulated
    const all = Math.max(...spikes.n_neurons), populations = spikes.shown[kept.shown[which]];
    const most = populations.at(-1)?.end ?? Math.min(spikes.most_neurons, all);
    const whose = populations.length ? `neurons of ${populations.map(({ name }) => name).join(", ")}` : "neurons";
    const part = [spikes.whole ? "" : `the first ${number(window)} ${unit}`, most < all ? `the first ${most} ${whose}` : ""];
    const of = part.some(Boolean) ? ` of ${part.filter(Boolean).join(", ")}` : "";
    told.textContent = `${start === end ? "No spikes" : plural(end - start, "spike")}${of}.`;
    if (start === end) return;
    place.hidden = false;
    const x = Float64Array.from(kept.time.subarray(start, end), (t) => begin + (t * window) / 65535);
    Plotly.react(place, nothing(), layout({ margin: { l: 48, r: 8, t: 6, b: 40 }, shapes: neuronLines(populations),
      xaxis: axis({ title: { text: `time (${unit})` }, range: [begin, until], showgrid: false, minallowed: begin, maxallowed: until }),
      yaxis: axis({ title: { text: "neuron" }, range: [-0.5, most - 0.5], showgrid: false, ...neuronTicks(populations) }) }),
    { ...CONFIG, modeBarButtons: [["zoom2d", "pan2d", "resetScale2d"]] });
    spikeLayer(place, x, kept.neuron.subarray(start, end), unit, populations);
  }
  themed.push(() => { if (!panel.hidden && shown.length) { show(point); picture(); } });
  return { panel, open, draw: () => { ready = true; if (!panel.hidden) picture(); } };
}
