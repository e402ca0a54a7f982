// The page of a sweep.

const common = data.fixed;
const lasted = data.durations.length === 1 ? `${data.durations[0]} each` : "";
main.append(header(data.title, data.status, [data.date, data.folder, lasted], common), tiles(data.tiles));
if (data.message) main.append(h("p.message", { "data-status": data.status }, data.message));
const plots = h("div.plots");
main.append(plots);
const beside = drawer({ order: () => table.order(), select: (point, near) => table.select(point, near),
  focus: (point) => table.focus(point) });
const table = sweepTable((points) => beside.open(points));
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
  if (typeof Plotly === "undefined") {
    plots.replaceChildren(withoutPlots(data.folder, data.pictures));
    return;
  }
  const picture = sweepPlot((points) => beside.open(points));
  if (!picture.varied || !picture.known) {
    plots.append(h("section.card.empty", {}, h("h2", {}, "Nothing to draw"),
      h("p", {}, `No ${picture.varied ? "point has a value to draw" : "key has two values"}; the table has what there is.`)));
    return;
  }
  plots.append(picture.element);
  picture.show();
}
window.neurolab = { draw };
