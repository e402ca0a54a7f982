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

/** The nearest of 1, 2, 5, 10, ... at or above a value, as in plots/rates.py. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((m) => m * power >= value * (1 - 1e-9));
}

/** The population rate: 1/ISI, or bins as wide as can be told apart and as hold enough spikes. */
function populationRate(element, results, time, scale, unit, told) {
  const rates = array("rate"), edges = array("rate_edge"), { bin_ms: bin, least_ms: least, across } = results.rate;
  const alone = !results.spikes;

  function steps([from, to]) {
    const [begin, end] = [from / scale, to / scale];
    const wide = Math.min(nice(Math.max(least, (end - begin) / across)), edges.at(-1));
    const group = bin === null ? 1 : Math.max(1, Math.round(wide / bin));
    const first = Math.max(0, upper(edges, begin) - 1), last = Math.min(rates.length, lower(edges, end));
    const x = [], y = [];
    for (let i = first - (first % group); i < last; i += group) {
      const next = Math.min(i + group, rates.length);
      let sum = 0;
      for (let k = i; k < next; k++) sum += rates[k] * (edges[k + 1] - edges[k]);
      const mean = sum / (edges[next] - edges[i]);
      x.push(edges[i] * scale); y.push(mean);
      if (next >= last) { x.push(edges[next] * scale); y.push(mean); }
    }
    told.textContent = bin === null ? "Rate as 1/ISI, mean over neurons."
      : `Rate in bins of ${number(group * bin * scale, 3)} ${unit}.`;
    return { x, y };
  }

  figure(element, () => {
    const [blue] = palette();
    return { traces: [{ type: "scatter", mode: "lines", ...steps(time.range), name: "rate", fill: "tozeroy",
      line: { shape: "hv", color: blue, width: 1 }, fillcolor: `${blue}55`,
      hovertemplate: `%{y:.3g} Hz<br>from %{x} ${unit}<extra></extra>` }],
    layout: layout({ margin: { l: LEFT(), t: alone ? 8 : 4 },
      xaxis: axis({ title: { text: `time (${unit})` }, range: [...time.range], showgrid: false,
        automargin: false, minallowed: 0, maxallowed: time.end }),
      yaxis: axis({ title: { text: alone ? "population rate (Hz)" : "rate (Hz)" }, fixedrange: true,
        automargin: false, rangemode: "tozero", nticks: alone ? 6 : 3 }) }) };
  });
  time.add(element, (range) => {
    const { x, y } = steps(range);
    return { x: [x], y: [y], which: [0] };
  });
}
