// Plotly figures in the page's own type and colours, drawn anew when the theme changes.

/** The colours of marks, and of letters in these colours (neurolab/plots/colours.py). */
const palette = (of = "marks") => data.palettes[isDark() ? "dark" : "light"][of];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const coarse = matchMedia("(pointer: coarse)").matches;
// Nothing leaves the page: Plotly would offer to share a chart on its maker's server.
const CONFIG = { displaylogo: false, responsive: true, displayModeBar: !coarse, showSendToCloud: false,
  plotlyServerURL: "" };
const narrow = () => innerWidth < 640;

/** Merge of plain objects; the later one wins. */
function merged(one, other) {
  const result = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const both = value && result[key] && [value, result[key]].every((x) => x.constructor === Object);
    result[key] = both ? merged(result[key], value) : value;
  }
  return result;
}

function axis(more = {}) {
  return merged({ gridcolor: css("--grid"), linecolor: css("--axis"), zeroline: false,
    showline: true, ticks: "outside", ticklen: 4, tickcolor: css("--axis"), automargin: true, ticklabeloverflow: "allow",
    exponentformat: "e", minexponent: 5, // 10,000, not 10k
    tickfont: { color: css("--ink") }, title: { font: { color: css("--ink") }, standoff: 8 } }, more);
}

/** Ticks of a logarithmic axis: 1, 2, 5, 10, ..; of many decades 1, 10, .. */
function logTicks(low, high) {
  const ticks = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++)
    for (const m of high / low > 500 ? [1] : [1, 2, 5])
      if (m * 10 ** e >= low * 0.999 && m * 10 ** e <= high * 1.001) ticks.push(Number((m * 10 ** e).toPrecision(2)));
  return ticks;
}

function layout(more = {}) {
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.82;
  return merged({ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: css("--font"), size, color: css("--ink") },
    margin: { l: narrow() ? 48 : 64, r: 20, t: 8, b: 44 }, showlegend: false, uirevision: "keep",
    dragmode: coarse ? false : "zoom", colorway: palette(),
    hoverlabel: { font: { family: css("--font"), size, color: css("--ink") }, bgcolor: css("--surface"),
      bordercolor: css("--axis") },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--muted"), activecolor: css("--accent") },
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", font: { color: css("--ink") } },
  }, more);
}

/** What `make` gives where the theme is light, as on paper. */
function inLight(make) {
  const root = document.documentElement, before = root.dataset.theme;
  root.dataset.theme = "light";
  try { return make(); } finally {
    if (before === undefined) delete root.dataset.theme; else root.dataset.theme = before;
  }
}

/** A figure as it is shown, for a file: on white, whatever the theme of the page. */
function onWhite(element, build) {
  const { traces, layout: wanted } = inLight(build), now = element._fullLayout;
  for (const name of Object.keys(now).filter((key) => /^[xy]axis\d*$/.test(key)))
    wanted[name] = { ...wanted[name], range: [...now[name].range], autorange: false };
  const images = element.canvasInLight ? [{ source: element.canvasInLight(), xref: "paper", yref: "paper",
    x: 0, y: 1, sizex: 1, sizey: 1, sizing: "stretch", layer: "above" }] : [];
  const size = { width: element.clientWidth, height: element.clientHeight };
  return { data: traces, layout: { ...wanted, ...size, images, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff" } };
}

/** A figure in an element: `build` gives its traces and layout as they are to be now; `more` are further buttons. */
function figure(element, build, more = []) {
  const file = `${document.title} ${element.id}`.replace(/[^\w.-]+/g, "_");
  const saving = (format, icon) => ({ name: `Save as ${format.toUpperCase()}, on white`, icon, click: () => {
    const picture = onWhite(element, build), { width, height } = picture.layout;
    Plotly.downloadImage(picture, { format, width, height, scale: format === "png" ? 3 : 1, filename: file });
  } });
  const { camera, disk } = Plotly.Icons;
  const buttons = [["zoom2d", "pan2d", ...more, "resetScale2d"], [saving("svg", disk), saving("png", camera)]];
  const draw = () => {
    const { traces, layout: wanted } = build();
    return Plotly.react(element, traces, wanted, { ...CONFIG, modeBarButtons: buttons });
  };
  draw();
  themed.push(draw);
  element.asSaved = () => onWhite(element, build);
  return draw;
}

// Printed, figures are as wide as the paper and light.
let screenTheme;
function printing(begins) {
  const root = document.documentElement;
  if (begins) { screenTheme = root.dataset.theme; root.dataset.theme = "light"; }
  else if (screenTheme === undefined) delete root.dataset.theme;
  else root.dataset.theme = screenTheme;
  main.classList.toggle("printed", begins);
  themed.forEach((draw) => draw());
  // At once: of a size of its own accord Plotly thinks a while, and paper does not wait.
  document.querySelectorAll(".js-plotly-plot").forEach((one) =>
    Plotly.relayout(one, begins ? { width: one.clientWidth, height: one.clientHeight } : { autosize: true }));
}
addEventListener("beforeprint", () => printing(true));
addEventListener("afterprint", () => printing(false));

/** Calls `then` at most once a frame. */
function perFrame(then) {
  let waiting = false;
  return (...given) => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; then(...given); });
  };
}

/** Figures that show the same times: a zoom in one is a zoom in all. */
class SharedTime {
  constructor(begin, end) { this.begin = begin; this.end = end; this.range = [begin, end]; this.members = []; }

  /** `data` gives the x, y of the traces `which` at a range, where they depend on it. */
  add(element, data = null) {
    this.members.push({ element, data });
    element.on("plotly_relayout", (what) => {
      if (!Object.keys(what).some((key) => /^xaxis\d*\.|^autosize$/.test(key))) return;
      if (what.autosize) return;
      this.set(element.layout.xaxis.range.map(Number), element);
    });
    element.on("plotly_doubleclick", () => { this.set([this.begin, this.end]); });
    element.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      this._wheel(element, event);
    }, { passive: false });
    this._wheel = perFrame((from, event) => {
      const box = from.getBoundingClientRect(), size = from._fullLayout._size;
      const at = Math.min(Math.max((event.clientX - box.left - size.l) / size.w, 0), 1);
      this.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.005), at);
    });
  }

  /** Shows what the address says, if it does. */
  restore() {
    const [from, to] = (address.get("time") || "").split("-").map(Number);
    if (from >= this.begin && to > from && from < this.end) this.set([from, Math.min(to, this.end)]);
  }

  /** Shows `factor` times as much, around a place between 0 and 1. */
  zoom(factor, at = 0.5) {
    const [a, b] = this.range, width = Math.min((b - a) * factor, this.end - this.begin);
    const start = Math.min(Math.max(a + (b - a - width) * at, this.begin), this.end - width);
    this.set([start, start + width]);
  }

  /** Moves on by a part of what is shown. */
  move(part) {
    const [a, b] = this.range, start = Math.min(Math.max(a + (b - a) * part, this.begin), this.end - (b - a));
    this.set([start, start + b - a]);
  }

  set(range, from = null) {
    if (range[0] === this.range[0] && range[1] === this.range[1] && from) return;
    this.range = range;
    const whole = range[0] <= this.begin && range[1] >= this.end;
    address.set("time", whole ? null : range.map((t) => Number(t.toPrecision(7))).join("-"));
    for (const { element, data } of this.members) {
      const shown = element.layout.xaxis.range.map(Number);
      const moves = shown[0] !== range[0] || shown[1] !== range[1] || !from;
      const move = moves ? { "xaxis.range": [...range] } : {};
      if (data) {
        const { x, y, which } = data(range);
        Plotly.update(element, { x, y }, move, which); // both at once: a figure is drawn once
      } else if (moves) Plotly.relayout(element, move);
    }
  }

  /** Buttons for those without a mouse. */
  buttons() {
    const one = (text, label, act) =>
      h("button.quiet", { type: "button", "aria-label": label, title: label, onclick: act }, text);
    return h("div.buttons", { role: "group", "aria-label": "time shown" },
      one("←", "earlier", () => this.move(-0.5)), one("→", "later", () => this.move(0.5)),
      one("+", "zoom in", () => this.zoom(0.5)), one("−", "zoom out", () => this.zoom(2)),
      one("All", "show all", () => this.set([this.begin, this.end])));
  }
}
