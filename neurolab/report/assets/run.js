// The page of a run.

const results = data.results;
const seconds = results && results.shown_ms > 5000;
const scale = seconds ? 1e-3 : 1, unit = seconds ? "s" : "ms";
const shownTime = (ms) => (ms > 5000 ? `${number(ms / 1000)} s` : `${number(ms)} ms`);

main.append(header(data.title, data.status, [data.date, data.folder], data.overrides));
if (data.message) main.append(h("p.message", { "data-status": data.status }, data.message));
if (data.tiles.length) main.append(tiles(data.tiles));
const plots = h("div.plots");
main.append(plots);
if (!results) plots.append(h("section.card.empty", {}, h("h2", {}, "Nothing was recorded"),
  h("p", {}, data.damaged ? "It cannot be read: what is damaged is said above."
    : data.status === "completed" ? "The configuration asks for no records (record)."
    : data.log ? "The run ended before its first results were written; its log says why."
      : "The run is going on, or was killed, before its first results were written.")));
else if (!results.spikes && !results.rate && !results.traces.length)
  plots.append(h("section.card.empty", {}, h("h2", {}, "Nothing to draw"),
    h("p", {}, data.damaged ? "What is damaged is said above."
      : "Neither spikes, rate nor variables were recorded; record=spikes keeps them.")));
if (data.log) {
  const log = h("pre.log", { tabindex: 0, "aria-label": "log" }, data.log);
  main.append(card("The end of the log", log));
  log.scrollTop = log.scrollHeight;
}
main.append(configuration(), summary());

function configuration() {
  const { groups, compared } = data.configuration;
  const any = groups.some((g) => g.default || g.rows.some((row) => row.differs));
  const only = h("input", { type: "checkbox", id: "only", onchange: show });
  const body = h("div.configuration");
  const told = compared === "defaults" ? "What differs from the default is bold, with the default beside it."
    : "What was typed is bold; the options it was made of are not here to compare it with.";
  const part = card("Configuration", h("div.row", {}, h("p.hint", {}, any ? told : "All defaults."),
    any ? h("label", { for: "only" }, only, " only what differs") : null), body);
  show();
  return part;

  function show() {
    body.replaceChildren(...groups.map(group).filter(Boolean));
  }
  function parts(key) { // where a line may end
    return key.split(/(?<=[._])(?=.)/).flatMap((part) => [part, h("wbr")]);
  }
  function group({ name, rows, option, default: usual }) {
    const kept = rows.filter((row) => row.differs || !only.checked);
    if (!kept.length && (only.checked && !usual)) return null;
    const title = h("h3", {}, name, option ? h(usual ? "span.option.differs" : "span.option", {}, ` ${option}`) : null,
      usual ? h("span.default", {}, `default: ${usual}`) : null);
    return h(kept.length > 40 ? "div.group.long" : "div.group", {}, title, kept.length ? h("table.values", {}, h("tbody", {}, kept.map((row) =>
      h(row.differs ? "tr.differs" : "tr", {}, h("th", { scope: "row" }, parts(row.name)), h("td", {},
        h(row.differs ? "b" : "span", {}, row.value),
        row.default !== undefined ? h("span.default", {}, `default: ${row.default}`) : null))))) : null);
  }
}

function summary() {
  const rows = data.summary.map(([key, value]) =>
    h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, value)));
  const inside = rows.length ? h("table.values", {}, h("tbody", {}, rows))
    : h("p.hint", {}, "There is no summary.json: the run is going on, or was killed.");
  return h("section.card", {}, h("details", {}, h("summary", {}, h("h2", {}, "Summary, versions, revision")), inside));
}

function draw() {
  if (typeof Plotly === "undefined") {
    plots.replaceChildren(withoutPlots(data.folder, data.pictures));
    return;
  }
  if (!results) return;
  const time = new SharedTime(results.start_ms * scale, results.shown_ms * scale);
  const given = stimulusUnits(results).map((current, i) => ({ current, place: h("div.figure.strip",
    { id: i ? `stimulus-${i + 1}` : "stimulus", role: "group", "aria-label": "current that was given, over time" }) }));
  const said = stimulusNote(results), strips = given.map(({ place }) => place);
  if (said) strips.push(h("p.hint", {}, said));
  if (results.spikes || results.rate) {
    const note = h("p.hint"), { spikes } = results;
    const above = spikes && h("div.figure.raster", { id: "raster", role: "group",
      "aria-label": `spikes of ${plural(results.n_neurons, "neuron")} over ${shownTime(results.shown_ms - results.start_ms)}: ${number(spikes.all)}` });
    const below = results.rate && h(spikes ? "div.figure.strip" : "div.figure.raster", { id: "rate",
      role: "group", "aria-label": "population rate over time" });
    const short = spikes && results.shown_ms < results.duration_ms * 0.999;
    const few = spikes && spikes.neurons < results.n_neurons;
    const cut = short || few ? h("p.cut", {}, [
      few ? `${number(spikes.neurons)} of ${plural(results.n_neurons, "neuron")}, evenly chosen, are drawn` : "",
      short ? `${few ? "in the" : "The"} first ${shownTime(results.shown_ms - results.start_ms)} of ${shownTime(results.duration_ms - results.start_ms)}` : ""].filter(Boolean).join(", ")
      + `: ${number(spikes.count)} of ${number(spikes.all)} spikes. Rates are of all neurons; open_run() reads all spikes.`) : null;
    const hint = coarse ? null : h("p.hint", {},
      "Drag to zoom, Ctrl and wheel to zoom in time, double-click for all.");
    plots.append(card(spikes ? "Spikes" : "Population rate",
      h("div.row", {}, time.buttons(), note, hint), cut,
      results.populations.length ? populationKey(results.populations) : null, above, below, ...strips));
    if (above) raster(above, results, time, scale, unit);
    if (below) populationRate(below, results, time, scale, unit, note);
  } else if (strips.length) plots.append(card("Input", ...strips));
  given.forEach(({ current, place }) => stimulusFigure(place, results, current, time, scale, unit));
  const places = [], pair = h("div.pair");
  if (results.traces.length) {
    const place = h("div.figure", { id: "traces", role: "group", "aria-label": "recorded variables over time" });
    place.style.height = `${Math.max(20, 6 + 5 * (results.traces.length + Math.min(2, results.traces.filter(isVoltage).length)))}rem`;
    const until = results.traced_ms < results.shown_ms * 0.999 ? h("p.cut", {}, `The first ${shownTime(results.traced_ms - results.start_ms)}.`) : null;
    const coarser = h("p.cut", { "aria-live": "polite" });
    pair.append(card("Traces", until, coarser, place));
    places.push(() => tracesFigure(place, results, time, scale, unit, coarser));
  }
  let isi = null, intervalsIn = null;
  if (results.isi) {
    const place = h("div.figure", { id: "isi", role: "group", "aria-label": "histogram of inter-spike intervals" });
    place.style.height = "20rem";
    isi = h("div", {}, h("p.hint", {}, intervalsSaid(results.isi)), place);
    intervalsIn = () => intervals(place, results.isi, results);
  }
  if (results.statistics) {
    const shown = statistics(results.statistics, isi, intervalsIn);
    pair.append(shown.element);
    places.push(shown.show);
  }
  if (places.length) plots.append(pair);
  places.forEach((show) => show()); // when each has its final width
  time.restore();
}

/** What a histogram of intervals is of. */
function intervalsSaid(isi) {
  const more = isi.beyond ? `; ${number(isi.beyond)} longer ones are not shown` : "";
  const [one] = isi.parts, cv = one.cv_mean === null ? "" : `, mean of neurons' CVs ${number(one.cv_mean, 3)}`;
  const told = one.name ? "Of each population as a part of its own" : `${plural(one.total, "interval")} of all neurons`;
  const first = isi.of ? ` in the first ${isi.of}` : "";
  const spread = one.name ? "" : `: mean ${number(one.mean_ms, 3)} ms, CV ${number(one.cv, 3)}${cv}`;
  return `${told}${first}${spread}; bins of ${number(isi.bin_ms, 2)} ms${more}.`;
}
window.neurolab = { draw };
