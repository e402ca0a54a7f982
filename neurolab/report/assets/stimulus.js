// What the neurons were given: the current of signals, when it was there, levels of the potential.

/** Behind the times in which what was given is not at its baseline. */
const epochShapes = ({ stimulus }, scale) => (stimulus?.epochs ?? []).map(([from, to]) => ({ type: "rect", xref: "x",
  yref: "paper", x0: from * scale, x1: to * scale, y0: 0, y1: 1, layer: "below", line: { width: 0 },
  fillcolor: css("--grid"), opacity: 0.55 }));

/** Thresholds and resets of the population whose potential a panel shows, dashed, with their names. */
function levelMarks(name, { stimulus }, yref, [low, high]) {
  const levels = Object.entries(stimulus?.levels[name.split(".").slice(0, -1).join(".")] ?? {});
  const there = levels.filter(([, value]) => value >= low - 0.3 * (high - low) && value <= high + 0.3 * (high - low));
  const values = [...new Set(there.map(([, value]) => value))].sort((a, b) => b - a);
  const written = values.filter((value, i) => !i || values[i - 1] - value > 0.13 * (high - low));
  return {
    shapes: values.map((y) => ({ type: "line", xref: "paper", x0: 0, x1: 1, yref, y0: y, y1: y, layer: "below",
      line: { color: css("--muted"), width: 1, dash: "dash" } })),
    annotations: written.map((y) => ({ xref: "paper", x: 1, xanchor: "left", yref, y, showarrow: false, align: "left",
      font: { size: 11, color: css("--muted") }, text: there.filter(([, value]) => value === y)
        .map(([key]) => key.replace(/_(.+)/, "<sub>$1</sub>")).join("<br>") })),
  };
}

/** Of each unit, the lines in it. */
const stimulusUnits = ({ stimulus }) => [...new Set((stimulus?.lines ?? []).map(({ unit }) => unit))];

/** What is to be known of them: what comes beside them, and whose they are. */
const stimulusNote = ({ stimulus }) => {
  const some = (key) => (stimulus?.lines ?? []).filter((line) => line[key]).map(({ name }) => name);
  const [beside, own] = [some("beside"), some("own")];
  const of = (names) => (names[0] ? ` to ${names.join(", ")}` : "");
  return [beside.length ? `Input${of(beside)} is shown without spikes and noise.` : "",
    own.length ? `Neurons have inputs of their own; that${of(own)} is of the first.` : ""].filter(Boolean).join(" ");
};

/** The currents of a unit over time. */
function stimulusFigure(element, results, current, time, scale, unit) {
  const lines = results.stimulus.lines.filter((line) => line.unit === current);
  figure(element, () => ({
    traces: lines.map(({ name, array: key, own }) => ({ type: "scatter", mode: "lines",
      x: Float64Array.from(array(`${key}/time`), (t) => t * scale), y: array(`${key}/value`),
      line: { color: name ? populationColour(name, results) : css("--ink"), width: 1.4 },
      hovertemplate: `%{y:.4g} ${current}<br>%{x} ${unit}<extra>${name}${own ? " neuron 0" : ""}</extra>` })),
    layout: layout({ margin: { l: LEFT(results), t: 4 }, shapes: epochShapes(results, scale),
      xaxis: axis({ title: { text: `time (${unit})` }, range: [...time.range], showgrid: false, automargin: false,
        minallowed: time.begin, maxallowed: time.end }),
      yaxis: axis({ title: { text: current ? `input (${current})` : "input" }, fixedrange: true, automargin: false,
        nticks: 4 }) }),
  }));
  time.add(element);
}
