// The raster, and the population rate below it: two figures on one time axis. (In one figure every
// new bin of the rate would make Plotly read all spikes anew.)

const MOST_SVG = 4000; // spikes drawn without WebGL
const LEFT = () => (narrow() ? 52 : 68); // the same in both, so that times are above one another

/** The spikes of a run: drawn in `element`, for as long as `time` says. */
function raster(element, results, time, scale, unit, told) {
  const step = array("spike_step"), neuron = array("spike_neuron");
  const dt = results.dt_ms * scale, n = results.n_neurons;
  const x = Float64Array.from(step, (s) => (s + 1) * dt), y = Float32Array.from(neuron);
  const sparse = hasWebGL || x.length <= MOST_SVG;
  let picked = pick(time.range), drawn = mark();

  /** The spikes to be drawn: all with WebGL, else an even choice of those that are in view. */
  function pick([from, to]) {
    if (sparse) return { x, y, part: 1 };
    const start = lower(x, from), end = lower(x, to), every = Math.ceil((end - start) / MOST_SVG) || 1;
    const which = [];
    for (let i = start; i < end; i += every) which.push(i);
    return { x: which.map((i) => x[i]), y: which.map((i) => y[i]), part: every };
  }

  /** Marks as high as a neuron's row; where they would cover one another, small and translucent. */
  function mark() {
    const shown = element.layout?.yaxis?.range ?? [-0.5, n - 0.5];
    const height = element.clientHeight || 400, width = element.clientWidth || 1000;
    const part = Math.abs(shown[1] - shown[0]) / n, row = height / Math.max(part * n, 1);
    if (row >= 3.5) return { symbol: "line-ns-open", size: Math.min(row * 0.62, 18), width: 1.2, opacity: 1 };
    const size = Math.min(Math.max(0.75 * row, 1.5), 2.2);
    const visible = (lower(x, time.range[1]) - lower(x, time.range[0])) * part / picked.part;
    const cover = (visible * size * size) / (height * width);
    return { symbol: "square", size, width: 0, opacity: Math.min(1, Math.max(0.3, 0.35 / cover)) };
  }

  function build() {
    drawn = mark();
    const wanted = layout({ margin: { l: LEFT(), b: results.rate ? 8 : 44 },
      xaxis: axis({ title: { text: results.rate ? "" : `time (${unit})` }, range: [...time.range],
        showgrid: false, automargin: false, showticklabels: !results.rate, minallowed: 0, maxallowed: time.end }),
      yaxis: axis({ title: { text: "neuron" }, range: [-0.5, n - 0.5], showgrid: false, automargin: false,
        tickformat: "d", minallowed: -0.5, maxallowed: n - 0.5, ...(n <= 5 ? { dtick: 1 } : {}) }) });
    if (!x.length) wanted.annotations = [{ text: `no spikes in ${number(time.end)} ${unit}`, xref: "paper",
      yref: "paper", x: 0.5, y: 0.5, showarrow: false, font: { size: 18, color: css("--muted") } }];
    return { layout: wanted, traces: [{ type: hasWebGL ? "scattergl" : "scatter", mode: "markers",
      x: picked.x, y: picked.y, name: "spikes", marker: { color: css("--spike"), symbol: drawn.symbol,
        size: drawn.size, opacity: drawn.opacity, line: { width: drawn.width } },
      hovertemplate: `neuron %{y}<br>%{x} ${unit}<extra></extra>` }] };
  }

  const remark = whenStill(() => { // marks that suit what is in view now
    const now = mark(), near = (one, other) => Math.abs(one / other - 1) < 0.35;
    if (now.symbol === drawn.symbol && near(now.size, drawn.size) && near(now.opacity, drawn.opacity)) return;
    drawn = now;
    Plotly.restyle(element, { "marker.size": now.size, "marker.symbol": now.symbol,
      "marker.opacity": now.opacity, "marker.line.width": now.width }, [0]);
  });

  function say() {
    told.textContent = picked.part > 1
      ? `No WebGL in this browser: every ${picked.part}th spike in view is drawn.` : "";
  }

  figure(element, build);
  time.add(element, perFrame((range) => {
    if (!sparse) {
      picked = pick(range);
      Plotly.restyle(element, { x: [picked.x], y: [picked.y] }, [0]);
      say();
    }
    remark();
  }));
  element.on("plotly_relayout", (what) => {
    if (Object.keys(what).some((key) => key.startsWith("yaxis."))) remark();
  });
  say();
}

/** The population rate in bins as wide as can be told apart, and that hold a few spikes. */
function populationRate(element, results, time, scale, unit, told) {
  const rates = array("rate"), bin = results.rate.bin_ms * scale;
  const perBin = Math.max(results.rate.mean * results.n_neurons * results.rate.bin_ms * 1e-3, 1e-9);
  const alone = !results.spikes;

  function bars([from, to]) {
    const first = Math.max(0, Math.floor(from / bin)), last = Math.min(rates.length, Math.ceil(to / bin));
    const wide = (last - first) / (narrow() ? 150 : 400);
    const group = Math.max(1, Math.round(Math.min(Math.max(wide, 3 / perBin), (last - first) / 20)));
    const x = [], y = [];
    for (let i = first - (first % group); i < last; i += group) {
      const end = Math.min(i + group, rates.length);
      const mean = rates.subarray(i, end).reduce((a, b) => a + b, 0) / (end - i);
      x.push(i * bin); y.push(mean);
      if (end >= last) { x.push(end * bin); y.push(mean); }
    }
    told.textContent = `Rate in bins of ${number(group * bin, 3)} ${unit}.`;
    return { x, y };
  }

  figure(element, () => {
    const [blue] = palette();
    return { traces: [{ type: "scatter", mode: "lines", ...bars(time.range), name: "rate", fill: "tozeroy",
      line: { shape: "hv", color: blue, width: 1 }, fillcolor: `${blue}55`,
      hovertemplate: `%{y:.3g} Hz<br>from %{x} ${unit}<extra></extra>` }],
    layout: layout({ margin: { l: LEFT(), t: alone ? 8 : 4 },
      xaxis: axis({ title: { text: `time (${unit})` }, range: [...time.range], showgrid: false,
        automargin: false, minallowed: 0, maxallowed: time.end }),
      yaxis: axis({ title: { text: alone ? "population rate (Hz)" : "rate (Hz)" }, fixedrange: true,
        automargin: false, rangemode: "tozero", nticks: alone ? 6 : 3 }) }) };
  });
  time.add(element, perFrame((range) => {
    const { x, y } = bars(range);
    Plotly.restyle(element, { x: [x], y: [y] }, [0]);
  }));
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
