// How spikes are distributed: the panels of run.plot, in tabs.

/** Tabs of a run's statistics, and its intervals as the first; `intervalsIn` draws these. */
function statistics(found, isi, intervalsIn) {
  const { parts, of } = found, kinds = found.tabs;
  const names = parts.map(({ name }, i) => [i, name]);
  const which = parts.length > 1 ? choice("population", "population", names, 0, () => show(all.now())) : null;
  const places = Object.fromEntries(kinds.map(({ name, title }) => [name, h("div.figure", { id: `chart-${name}`, role: "group",
    "aria-label": title })]));
  const notes = Object.fromEntries(kinds.map(({ name }) => [name, h("p.hint", { "aria-live": "polite" })]));
  const entries = kinds.map(({ name, title }) => [name, title, h("div", {}, notes[name], places[name])]);
  if (isi) entries.unshift(["isi", "ISI", isi]);
  const drawn = {};
  const all = tabs("statistic", "statistics", entries, show);
  const chart = (name) => parts[which ? Number(which.select.value) : 0][name];

  function show(name) {
    if (which) which.element.hidden = name === "isi";
    if (name === "isi") { drawn.isi ??= intervalsIn(); return; }
    const { why } = chart(name);
    notes[name].textContent = why ?? (of ? `Of the first ${of}.` : "");
    places[name].hidden = Boolean(why);
    if (why) return;
    if (drawn[name]) drawn[name](); else drawn[name] = figure(places[name], () => charted(chart(name)));
  }
  for (const place of Object.values(places)) place.style.height = "20rem";
  return { element: card("Statistics", which?.element, all.element), show: () => show(all.now()) };
}

/** A chart that Python made, as Plotly has it. */
function charted({ marks, x, y }) {
  const inks = { one: palette()[0], grey: css("--muted"), ink: css("--ink") };
  const scale = ({ label, log, range }, of) => axis({ title: { text: label }, ...(log ? { type: "log", ...ticked(of) } : {}),
    ...(range ? { range: log ? range.map(Math.log10) : range } : {}) });
  function ticked(of) {
    const known = marks.flatMap((mark) => mark[of]).filter((v) => v > 0);
    const tickvals = known.length ? logTicks(Math.min(...known), Math.max(...known)) : [];
    return tickvals.length ? { tickvals, ticktext: tickvals.map((v) => number(v)) } : {};
  }
  const traces = [], shapes = [], annotations = [];
  for (const mark of marks) {
    const color = inks[mark.ink], named = { name: mark.name ?? "", showlegend: false };
    if (mark.kind === "bins") traces.push({ ...named, type: "scatter", mode: "lines", fill: "tozeroy", fillcolor: `${color}88`,
      x: mark.x, y: [...mark.y, mark.y.at(-1)], line: { shape: "hv", color, width: 1 }, hovertemplate: "%{y:.4g}<br>from %{x:.4g}<extra></extra>" });
    else if (mark.kind === "band") traces.push({ ...named, type: "scatter", mode: "lines", fill: "toself", fillcolor: `${color}40`,
      x: mark.x, y: mark.y, line: { width: 0 }, hoverinfo: "skip" });
    else if (mark.kind === "line") traces.push({ ...named, type: "scatter", mode: mark.dots ? "lines+markers" : "lines", x: mark.x, y: mark.y,
      line: { color, width: 1.8 }, marker: { color, size: 6 }, hovertemplate: "%{y:.4g}<br>at %{x:.4g}<extra></extra>" });
    else {
      const at = mark.across === "y" ? { xref: "paper", x0: 0, x1: 1, y0: mark.at, y1: mark.at } : { yref: "paper", y0: 0, y1: 1, x0: mark.at, x1: mark.at };
      shapes.push({ type: "line", ...at, line: { color, width: 1.4, dash: "dash" } });
      if (mark.name && mark.across === "y") annotations.push({ xref: "paper", x: 1, xanchor: "right", y: y.log ? Math.log10(mark.at) : mark.at,
        yanchor: "bottom", text: mark.name, showarrow: false, font: { color } });
    }
  }
  return { traces, layout: layout({ shapes, annotations, hovermode: "closest", xaxis: merged(scale(x, "x"), { showgrid: false }), yaxis: scale(y, "y") }) };
}
