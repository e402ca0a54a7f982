// Recorded variables of a few neurons, a panel each, and the histogram of inter-spike intervals.

const MOST_POINTS = 4000; // of a line: more than twice the pixels across

/** Smallest and largest value of each block of samples between two places: peaks survive. */
function decimated(xs, ys, from, to) {
  const block = Math.ceil((2 * (to - from)) / MOST_POINTS);
  if (block <= 2) return { x: xs.slice(from, to), y: ys.slice(from, to) };
  const x = [], y = [];
  for (let start = from; start < to; start += block) {
    let least = start, most = start;
    for (let i = start; i < Math.min(start + block, to); i++) {
      if (ys[i] < ys[least]) least = i;
      if (ys[i] > ys[most]) most = i;
    }
    for (const i of [Math.min(least, most), Math.max(least, most)]) { x.push(xs[i]); y.push(ys[i]); }
  }
  return { x, y };
}

/** Whether a panel is of the membrane potential, of a population or of all neurons. */
const isVoltage = ({ name }) => name.split(".").pop() === "V";

/** `told` says so where lines have less than was recorded, in the time that is shown. */
function tracesFigure(element, results, time, scale, unit, told) {
  const who = array("spike_neuron"), when = who && spikeTimes(results.dt_ms * scale);
  const panels = results.traces;
  const neurons = [...new Set(panels.flatMap((p) => p.lines.map((l) => l.neuron)))].sort((a, b) => a - b);
  const lines = panels.flatMap((panel, at) => panel.lines.map(({ neuron, name, array: key }) => {
    const y = array(key), sample = array(`${key}/sample`);
    const every = panel.every_ms * scale, from = panel.from_ms * scale;
    const x = Float64Array.from(y, (_, i) => from + ((sample ? sample[i] : i) + 1) * every);
    return { at, neuron, name, x, y };
  }));
  const voltages = panels.map((_, i) => i).filter((i) => isVoltage(panels[i]));
  const ticks = who ? voltages.flatMap(spikeTicks) : [];
  const strip = (panel) => `y${panels.length + 1 + voltages.indexOf(panel)}`; // of ticks: they have no voltage
  const space = Math.min(0.05, 0.25 / panels.length), heights = panels.map((panel) => (isVoltage(panel) ? 2 : 1));
  const unitHeight = (1 - space * (panels.length - 1)) / heights.reduce((a, b) => a + b, 0);

  function spikeTicks(panel) { // V is reset and does not show its spikes
    const mine = lines.filter((line) => line.at === panel);
    return mine.map(({ neuron }, place) => {
      const at = [], bottom = mine.length - place;
      for (let i = 0; i < who.length; i++) if (who[i] === neuron) at.push(when[i]);
      return { panel, neuron, at, bottom };
    });
  }

  /** One broken line, which is faster than many marks; of those on one pixel the first. */
  function ticked({ at, bottom }, [from, to]) {
    const x = [], y = [], gap = (to - from) / 4000;
    for (let i = lower(at, from), last = -Infinity; i < at.length && at[i] <= to; i++) {
      if (at[i] - last < gap) continue;
      last = at[i];
      x.push(last, last, null);
      y.push(bottom, bottom + 0.7, null);
    }
    return { x, y };
  }

  /** A variable that stays as it is has its value at the axis, and no other that were invented. */
  function still(panel) {
    const values = lines.filter((line) => line.at === panel).map(({ y }) => y), [[value]] = values;
    return values.every((y) => y.every((v) => v === value)) ? { tickvals: [value], ticktext: [number(value)] } : {};
  }

  /** The least and the largest value of a panel. */
  function limits(panel) {
    let low = Infinity, high = -Infinity;
    for (const { at, y } of lines) if (at === panel) for (const v of y) { if (v < low) low = v; if (v > high) high = v; }
    return [low, high];
  }

  const shown = ({ x, y }, [from, to]) =>
    decimated(x, y, Math.max(0, lower(x, from) - 1), Math.min(x.length, lower(x, to) + 1));

  function build() {
    const colours = palette(), colour = (neuron) => colours[neurons.indexOf(neuron) % colours.length];
    const first = new Set();
    const traces = lines.map((line) => {
      const legend = !first.has(line.neuron);
      first.add(line.neuron);
      return { type: "scatter", mode: "lines", ...shown(line, time.range), name: line.name,
        legendgroup: `${line.neuron}`, showlegend: legend, yaxis: `y${line.at + 1}`.replace("y1", "y"),
        line: { color: colour(line.neuron), width: 1.3 },
        hovertemplate: `%{y:.4g} ${panels[line.at].unit}<br>%{x} ${unit}<extra>${line.name}</extra>` };
    });
    for (const one of ticks) traces.push({ type: "scatter", mode: "lines", ...ticked(one, time.range),
      connectgaps: false, legendgroup: `${one.neuron}`, showlegend: false, hoverinfo: "skip", yaxis: strip(one.panel),
      line: { color: colour(one.neuron), width: 1.2 } });
    const marks = voltages.map((i) => levelMarks(panels[i].name, results, i ? `y${i + 1}` : "y", limits(i)));
    const shapes = [...epochShapes(results, scale), ...marks.flatMap((one) => one.shapes)];
    const annotations = marks.flatMap((one) => one.annotations);
    const wanted = layout({ showlegend: true, margin: { t: 26, r: annotations.length ? 44 : 20 }, shapes, annotations,
      xaxis: axis({ title: { text: `time (${unit})` }, range: [...time.range], showgrid: false,
        anchor: `y${panels.length}`.replace(/^y1$/, "y"), minallowed: time.begin, maxallowed: time.end }) });
    let top = 1;
    panels.forEach(({ name, unit: of }, i) => {
      const height = unitHeight * heights[i];
      const text = of ? `${name} (${of})` : name;
      const own = ticks.filter(({ panel }) => panel === i).length;
      const above = Math.min(0.4, 0.07 * own) * height;
      wanted[`yaxis${i ? i + 1 : ""}`] = axis({ domain: [Math.max(0, top - height), top - above],
        title: { text: text.length > 9 ? text.replace(of ? / (?=\([^(]*$)/ : /(?=_[^_]*$)/, "<br>") : text }, nticks: 5, ...still(i) });
      if (above) wanted[strip(i).replace("y", "yaxis")] = { domain: [top - above, top], anchor: "x", fixedrange: true,
        range: [0.7, own + 1], visible: false };
      top -= height + space;
    });
    return { traces, layout: wanted };
  }

  const block = Math.max(...results.traces.map((panel) => panel.block_ms ?? 0)) * scale;
  function tell([from, to]) {
    told.textContent = block > (to - from) / 300 ? `The page has of each ${number(block, 3)} ${unit} the least and the largest value only, `
      + "which lines join; open_run() reads all samples." : "";
  }

  figure(element, build);
  tell(time.range);
  time.add(element, (range) => {
    tell(range);
    const now = [...lines.map((line) => shown(line, range)), ...ticks.map((one) => ticked(one, range))];
    return { x: now.map((l) => l.x), y: now.map((l) => l.y), which: now.map((_, i) => i) };
  });
}

/** Intervals in bins: their number, or of populations, which are unlike large, their share. */
function intervals(element, { parts, first_ms: first, bin_ms: bin }, results) {
  const many = Boolean(parts[0].name), n = parts[0].counts.length;
  const at = (counts) => counts.map((_, i) => first + (i + (many ? 0 : 0.5)) * bin);
  figure(element, () => ({
    traces: parts.map(({ name, counts, total }) => (many
      ? { type: "scatter", mode: "lines", name, x: [...at(counts), first + n * bin],
        y: [...counts, counts.at(-1)].map((count) => (100 * count) / total),
        line: { shape: "hv", width: 1.6, color: populationColour(name, results) },
        hovertemplate: `${name} %{y:.2g} %<br>from %{x:.3g} ms<extra></extra>` }
      : { type: "bar", x: at(counts), y: counts, width: bin, marker: { color: palette()[0], line: { width: 0 } },
        hovertemplate: "%{y} intervals<br>about %{x:.3g} ms<extra></extra>" })),
    layout: layout({ bargap: 0, showlegend: many, xaxis: axis({ title: { text: "interval (ms)" },
      rangemode: "tozero", showgrid: false, range: [0, first + n * bin] }),
    yaxis: axis({ title: { text: many ? "intervals (%)" : "intervals" }, rangemode: "tozero" }) }),
  }));
}
