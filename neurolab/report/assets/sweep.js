// The page of a sweep.

const common = data.fixed;
const lasted = data.durations.length === 1 ? `${data.durations[0]} each` : "";
main.append(header(data.title, data.status, [data.date, data.folder, lasted], common), tiles(data.tiles));
if (data.message) main.append(h("p.message", { "data-status": data.status }, data.message));
const plots = h("div.plots");
main.append(plots);
let picture = null;
const beside = drawer({ order: () => table.order(), select(point, near) { table.select(point, near); picture?.mark(point); },
  closed: () => picture?.mark(-1),
  focus: (point) => table.focus(point) });
let views = [], lit = null;
const table = sweepTable((points) => beside.open(points), (now) => { lit = now; views.forEach((view) => view.light?.(now)); });
main.append(table.element);
document.body.append(beside.panel);
if (data.log) {
  const log = h("pre.log", { tabindex: 0, "aria-label": "log" }, data.log);
  main.append(card("The end of the log", log));
  log.scrollTop = log.scrollHeight;
}
if (data.summary.length) main.append(h("section.card", {}, h("details", {},
  h("summary", {}, h("h2", {}, "Summary, versions, revision")),
  h("table.values", {}, h("tbody", {}, data.summary.map(([key, value]) =>
    h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, value))))))));

function draw() {
  beside.draw();
  const kept = Number(address.get("point") ?? NaN);
  if (Number.isInteger(kept) && kept >= 0 && kept < N) setTimeout(() => beside.open([kept])); // once all is there
  if (typeof Plotly === "undefined") {
    plots.replaceChildren(withoutPlots(data.folder, data.pictures));
    return;
  }
  const made = sweepPlot((points) => beside.open(points), table.limit);
  if (!made.varied || !made.known) {
    plots.append(h("section.card.empty", {}, h("h2", {}, "Nothing to draw"),
      h("p", {}, `No ${made.varied ? "point has a value to draw" : "key has two values"}; the table has what there is.`)));
    return;
  }
  picture = made;
  const parallel = parallelView(made.value, table.limit), importance = importanceView(made.value);
  parallel.place.addEventListener("point", ({ detail }) => beside.open([detail]));
  const shown = { picture: made, parallel, importance };
  const several = KEYS.filter((key) => key.values.length > 1).length > 1;
  const all = tabs("view", "views of the sweep", [["picture", "Picture", made.element],
    ...(several ? [["parallel", "All keys", parallel.element], ["importance", "Importance", importance.element]] : [])],
  (name) => { shown[name].show(); dispatchEvent(new Event("resize")); });
  plots.append(card("Results", made.chooser, all.element));
  views = [made, parallel];
  for (const view of views) view.light(lit);
  made.onchange(() => { if (all.now() !== "picture") shown[all.now()].show(); });
  shown[all.now()].show();
}
window.neurolab = { draw };
