// The raster with the population rate below, on one time axis.

const MOST_SVG = 5000; // spikes drawn without WebGL

/** The spikes and rate of a run: `element` is drawn in, `time` is shared with other figures. */
function raster(element, results, time, scale, unit, note) {
  const step = array("spike_step"), neuron = array("spike_neuron"), rates = array("rate");
  const dt = results.dt_ms * scale, n = results.n_neurons;
  const x = step ? Float64Array.from(step, (s) => (s + 1) * dt) : null;
  const y = neuron ? Float32Array.from(neuron) : null;
  const bin = results.rate ? results.rate.bin_ms * scale : 0;
  const both = x !== null && rates !== null;
  const strip = both ? [0, 0.2] : [0, 1];
  let picked = pick([0, time.end]);

  /** The spikes to be drawn: all with WebGL, else an even choice of those that are in view. */
  function pick([from, to]) {
    if (x === null) return null;
    if (hasWebGL || x.length <= MOST_SVG) return { x, y, part: 1 };
    const start = lower(x, from), end = lower(x, to), every = Math.ceil((end - start) / MOST_SVG) || 1;
    const which = [];
    for (let i = start; i < end; i += every) which.push(i);
    return { x: which.map((i) => x[i]), y: which.map((i) => y[i]), part: every };
  }

  /** Rate in bins as wide as can be told apart, and that hold a few spikes. */
  function bars([from, to]) {
    const first = Math.max(0, Math.floor(from / bin)), last = Math.min(rates.length, Math.ceil(to / bin));
    const perBin = Math.max(results.rate.mean * n * results.rate.bin_ms * 1e-3, 1e-9);
    const wide = (last - first) / (narrow() ? 150 : 400);
    const group = Math.max(1, Math.round(Math.min(Math.max(wide, 3 / perBin), (last - first) / 20)));
    const xs = [], ys = [];
    for (let i = first - (first % group); i < last; i += group) {
      let sum = 0;
      const end = Math.min(i + group, rates.length);
      for (let j = i; j < end; j++) sum += rates[j];
      xs.push(i * bin); ys.push(sum / (end - i));
      if (end >= last) { xs.push(end * bin); ys.push(sum / (end - i)); }
    }
    return { x: xs, y: ys, width: group * bin };
  }

  function mark() { // as high as a neuron's row, but not invisible and not blobs
    const shown = element.layout?.yaxis?.range ?? [-0.5, n - 0.5];
    const row = (element.clientHeight || 480) * 0.68 / Math.max(Math.abs(shown[1] - shown[0]), 1);
    if (row >= 3.5) return { symbol: "line-ns-open", size: Math.min(row * 0.62, 18), line: { width: 1.2 } };
    return { symbol: "square", size: x.length > 100000 ? 1.6 : 2.2, line: { width: 0 } };
  }

  function build() {
    const [blue] = palette(), traces = [];
    if (x !== null) traces.push({ type: hasWebGL ? "scattergl" : "scatter", mode: "markers",
      x: picked.x, y: picked.y, marker: { color: css("--spike"), ...mark() }, name: "spikes",
      hovertemplate: `neuron %{y}<br>%{x} ${unit}<extra></extra>` });
    if (rates !== null) {
      const shown = bars(time.range);
      traces.push({ type: "scatter", mode: "lines", x: shown.x, y: shown.y, name: "rate",
        line: { shape: "hv", color: blue, width: 1 }, fill: "tozeroy", fillcolor: `${blue}55`,
        yaxis: both ? "y2" : "y", hovertemplate: `%{y:.3g} Hz<br>from %{x} ${unit}<extra></extra>` });
    }
    const wanted = layout({
      xaxis: axis({ title: { text: `time (${unit})` }, range: [...time.range], showgrid: false,
        anchor: both ? "y2" : "y", minallowed: 0, maxallowed: time.end }),
      yaxis: axis({ title: { text: "neuron" }, range: [-0.5, n - 0.5], showgrid: false,
        tickformat: "d", domain: [both ? 0.27 : 0, 1], minallowed: -0.5, maxallowed: n - 0.5,
        ...(n <= 5 ? { dtick: 1 } : {}) }),
    });
    if (both) wanted.yaxis2 = axis({ title: { text: "rate (Hz)" }, domain: strip, fixedrange: true,
      rangemode: "tozero", nticks: 3 });
    if (x === null) wanted.yaxis = axis({ title: { text: "population rate (Hz)" }, fixedrange: true,
      rangemode: "tozero" });
    if (x !== null && !x.length) wanted.annotations = [{ text: `no spikes in ${number(time.end)} ${unit}`,
      xref: "paper", yref: "y domain", x: 0.5, y: 0.5, showarrow: false,
      font: { size: 18, color: css("--muted") } }];
    return { traces, layout: wanted };
  }

  function tell() {
    const told = [];
    if (rates !== null) told.push(`rate in bins of ${number(bars(time.range).width, 3)} ${unit}`);
    if (picked && picked.part > 1)
      told.push(`no WebGL in this browser: every ${picked.part}th spike in view is drawn`);
    note.textContent = told.join("; ");
  }

  figure(element, build);
  const follow = perFrame((range) => {
    if (rates !== null) {
      const shown = bars(range), at = x === null ? 0 : 1;
      Plotly.restyle(element, { x: [shown.x], y: [shown.y] }, [at]);
    }
    if (x !== null && !hasWebGL && x.length > MOST_SVG) {
      picked = pick(range);
      Plotly.restyle(element, { x: [picked.x], y: [picked.y] }, [0]);
    }
    tell();
  });
  time.add(element, follow);
  if (x !== null) {
    let size = mark();
    element.on("plotly_relayout", (what) => { // rows have become higher or lower
      if (!Object.keys(what).some((key) => key.startsWith("yaxis."))) return;
      const now = mark();
      if (now.symbol === size.symbol && Math.abs(now.size / size.size - 1) < 0.3) return;
      size = now;
      Plotly.restyle(element, { "marker.size": now.size, "marker.symbol": now.symbol,
        "marker.line.width": now.line.width }, [0]);
    });
  }
  tell();
}

/** The first place in sorted values that is not below one. */
function lower(values, one) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < one) low = middle + 1; else high = middle;
  }
  return low;
}
