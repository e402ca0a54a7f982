// The raster, and the population rate below it: two figures on one time axis.

const LEFT = () => (narrow() ? 52 : 68); // the same in both, so that times are above one another

/** The spikes of a run: drawn in `element`, for as long as `time` says. */
function raster(element, results, time, scale, unit) {
  const dt = results.dt_ms * scale, n = results.n_neurons;
  const x = Float64Array.from(array("spike_step"), (step) => (step + 1) * dt);

  figure(element, () => {
    const wanted = layout({ margin: { l: LEFT(), b: results.rate ? 8 : 44 },
      xaxis: axis({ title: { text: results.rate ? "" : `time (${unit})` }, range: [...time.range],
        showgrid: false, automargin: false, showticklabels: !results.rate, minallowed: 0, maxallowed: time.end }),
      yaxis: axis({ title: { text: "neuron" }, range: [-0.5, n - 0.5], showgrid: false, automargin: false,
        tickformat: "d", minallowed: -0.5, maxallowed: n - 0.5, ...(n <= 5 ? { dtick: 1 } : {}) }) });
    if (!x.length) wanted.annotations = [{ text: `no spikes in ${number(time.end)} ${unit}`, xref: "paper",
      yref: "paper", x: 0.5, y: 0.5, showarrow: false, font: { size: 18, color: css("--muted") } }];
    return { layout: wanted, traces: nothing() };
  }, { modeBarButtons: [["zoom2d", "pan2d", "resetScale2d"]] }); // a picture of it is raster.png
  spikeLayer(element, x, array("spike_neuron"), unit);
  time.add(element);
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
  time.add(element, (range) => {
    const { x, y } = bars(range);
    return { x: [x], y: [y], which: [0] };
  });
}
