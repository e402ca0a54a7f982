// The raster, and the population rate below it: two figures on one time axis.

/** The same in both, so that times are above one another. */
const LEFT = ({ populations }) => Math.max(narrow() ? 52 : 68, 12 + 7.5 * Math.max(0, ...populations.map(({ label }) => label.length)));

/** The colour of a population. */
const populationColour = (name, { populations }) => palette()[populations.findIndex((one) => one.name === name) % palette().length];

/** The populations of a network in their colours: how many neurons, and how they fired. */
function populationKey(populations) {
  const swatches = populations.map(() => h("i", { "aria-hidden": "true" }));
  const paint = () => swatches.forEach((one, k) => { one.style.background = palette()[k % palette().length]; });
  paint();
  themed.push(paint);
  const told = ({ begin, end, rate_hz_mean: hz, isi_cv_mean: cv }) => [plural(end - begin, "neuron"),
    hz === null ? "" : `${number(hz, 3)} Hz`, cv === null ? "" : `ISI CV ${number(cv, 3)}`].filter(Boolean).join(", ");
  return h("p.legend", { "aria-label": "populations" }, populations.map((one, k) =>
    h("span", {}, swatches[k], one.name, h("small", {}, ` ${told(one)}`))));
}

/** The spikes of a run: drawn in `element`, for as long as `time` says. */
function raster(element, results, time, scale, unit) {
  const dt = results.dt_ms * scale, n = results.n_neurons, { populations } = results;
  const x = spikeTimes(dt), drawn = array("spike_neuron");

  /** Whether all neurons are shown: then the axis has names of populations, numbers through all of
   * a part. */
  const whole = () => {
    const [low, high] = element._fullLayout?.yaxis.range.map(Number) ?? [-0.5, n - 0.5];
    return high - low > n - 1e-3;
  };

  if (n <= 6) element.style.height = `${80 + 48 * n}px`; // a few rows, and little between them
  let named = false;
  const draw = figure(element, () => {
    named = whole();
    const wanted = layout({ margin: { l: LEFT(results), b: results.rate ? 8 : 44 }, shapes: [...neuronLines(populations), ...epochShapes(results, scale)],
      xaxis: axis({ title: { text: results.rate ? "" : `time (${unit})` }, range: [...time.range],
        showgrid: false, automargin: false, showticklabels: !results.rate, minallowed: time.begin, maxallowed: time.end }),
      yaxis: axis({ range: [-0.5, n - 0.5], showgrid: false, automargin: false,
        minallowed: -0.5, maxallowed: n - 0.5, ...neuronTicks(named ? populations : []), ...(n <= 5 && !populations.length ? { tickmode: "linear", dtick: 1, tick0: 0 } : {}) }) });
    if (!x.length) wanted.annotations = [{ text: `no spikes in ${number(time.end - time.begin)} ${unit}`, xref: "paper",
      yref: "paper", x: 0.5, y: 0.5, showarrow: false, font: { size: 18, color: css("--muted") } }];
    return { layout: wanted, traces: nothing() };
  });
  element.on("plotly_relayout", () => { if (populations.length && whole() !== named) draw(); });
  spikeLayer(element, x, drawn, unit, populations);
  time.add(element);
}

/** When spikes are, at the ends of their steps: from the step of each, or how many each step has. */
function spikeTimes(dt) {
  const steps = array("spike_step"), counts = array("spikes_of_step");
  if (steps) return Float64Array.from(steps, (step) => (step + 1) * dt);
  const x = new Float64Array(counts.reduce((sum, n) => sum + n, 0));
  for (let step = 0, at = 0; step < counts.length; step++) {
    x.fill((step + 1) * dt, at, at + counts[step]);
    at += counts[step];
  }
  return x;
}

/** The nearest of 1, 2, 5, 10, ... at or above a value, as in plots/rates.py. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((m) => m * power >= value * (1 - 1e-9));
}

/** The rate of each population: 1/ISI, or bins as wide as can be told apart and as hold enough
 * spikes. */
function populationRate(element, results, time, scale, unit, told) {
  const { bin_ms: bin, least_ms: least, across, of } = results.rate, alone = !results.spikes;
  const parts = of.map((name) => ({ name, rates: array(name ? `rate/${name}` : "rate"),
    edges: array(name ? `rate_edge/${name}` : "rate_edge") }));

  function steps({ rates, edges }, [from, to]) {
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
    const [first] = palette();
    const look = (name) => (name ? { line: { shape: "hv", color: populationColour(name, results), width: 1.4 } }
      : { fill: "tozeroy", line: { shape: "hv", color: first, width: 1 }, fillcolor: `${first}55` });
    return { traces: parts.map((part) => ({ type: "scatter", mode: "lines", ...steps(part, time.range),
      name: part.name || "rate", ...look(part.name),
      hovertemplate: `${part.name} %{y:.3g} Hz<br>from %{x} ${unit}<extra></extra>` })),
    layout: layout({ margin: { l: LEFT(results), t: alone ? 8 : 4 }, shapes: epochShapes(results, scale),
      xaxis: axis({ title: { text: `time (${unit})` }, range: [...time.range], showgrid: false,
        automargin: false, minallowed: time.begin, maxallowed: time.end }),
      yaxis: axis({ title: { text: alone ? "population rate (Hz)" : "rate (Hz)" }, fixedrange: true,
        automargin: false, rangemode: "tozero", nticks: alone ? 6 : 3 }) }) };
  });
  time.add(element, (range) => {
    const now = parts.map((part) => steps(part, range));
    return { x: now.map(({ x }) => x), y: now.map(({ y }) => y), which: now.map((_, k) => k) };
  });
}
