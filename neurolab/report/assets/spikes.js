// Spikes as pixels over a Plotly figure, which has the axes and the zoom: half a million of them in
// a few milliseconds, with a GPU or without.

const NEAR = 9; // pixels within which the mouse means a spike

/** The place among populations of each of these neurons; 0 where there are none. */
const placesOf = (neurons, populations) => Uint8Array.from(neurons, (i) =>
  Math.max(0, populations.findIndex(({ begin, end }) => begin <= i && i < end)));

/** A neuron as it is called: `E 17`, numbered in its population; `neuron 17` where there are none. */
function neuronName(neuron, populations) {
  const of = populations.find(({ begin, end }) => begin <= neuron && neuron < end);
  return of ? `${of.name} ${neuron - of.begin}` : `neuron ${neuron}`;
}

/** An axis of neurons with the names of populations, in their colours; numbers where there are none. */
function neuronTicks(populations) {
  const colours = palette("letters");
  return populations.length ? { tickmode: "array", ticks: "", title: { text: "" },
    tickvals: populations.map(({ at, begin, end }) => at ?? (begin + end - 1) / 2),
    ticktext: populations.map(({ label, name }, k) =>
      `<span style="color:${colours[k % colours.length]}">${label ?? name}</span>`) }
    : { tickmode: "auto", tickformat: "d", ticks: "outside", title: { text: "neuron" } };
}

/** Lines between populations. */
const neuronLines = (populations) => populations.slice(1).map(({ begin }) => ({ type: "line", xref: "paper",
  x0: 0, x1: 1, y0: begin - 0.5, y1: begin - 0.5, line: { color: css("--axis"), width: 1 } }));

/** Draws spikes at times `x`, in order, of neurons `y` in a figure, whatever it shows of them; in
 * the colours of their populations. */
function spikeLayer(element, x, y, unit, populations = []) {
  const of = placesOf(y, populations);
  const canvas = h("canvas.spikes", { "aria-hidden": "true" }), tip = h("div.tip", { hidden: true });
  element.append(canvas, tip);
  element.on("plotly_afterplot", paint);
  element.on("plotly_relayouting", perFrame(paint));
  element.addEventListener("pointermove", perFrame(point));
  element.addEventListener("pointerleave", () => { tip.hidden = true; });
  paint();
  element.canvasInLight = () => {
    const picture = inLight(() => { paint(); return canvas.toDataURL(); });
    paint();
    return picture;
  };
  return { canvas };

  /** What is shown: the plot's place in CSS pixels, and its ranges. */
  function view() {
    const { _size: size, xaxis, yaxis } = element._fullLayout;
    const [from, to] = xaxis.range.map(Number), [low, high] = yaxis.range.map(Number);
    return { size, from, to, low, high, start: lower(x, from), end: upper(x, to) };
  }

  function paint() {
    if (!element.isConnected || !element._fullLayout?._size) return;
    const { size, from, to, low, high, start, end } = view();
    const ratio = devicePixelRatio || 1;
    const width = Math.max(1, Math.round(size.w * ratio)), height = Math.max(1, Math.round(size.h * ratio));
    Object.assign(canvas.style, { left: `${size.l}px`, top: `${size.t}px`, width: `${size.w}px`, height: `${size.h}px` });
    canvas.width = width;
    canvas.height = height;
    const mark = marked(height / (high - low), ratio, end - start, width * height);
    const count = new Uint16Array(width * height), owner = new Uint8Array(width * height);
    const perTime = width / (to - from), perNeuron = height / (high - low);
    for (let i = start; i < end; i++) {
      if (y[i] < low || y[i] > high) continue;
      // Those of the last step are on the edge: the whole of their mark is inside.
      const left = Math.min(Math.round((x[i] - from) * perTime - mark.wide / 2), width - mark.wide);
      const top = Math.round((high - y[i]) * perNeuron - mark.tall / 2);
      const right = Math.min(left + mark.wide, width), bottom = Math.min(top + mark.tall, height);
      for (let row = Math.max(top, 0); row < bottom; row++)
        for (let column = Math.max(left, 0); column < right; column++) {
          count[row * width + column]++;
          owner[row * width + column] = of[i];
        }
    }
    const context = canvas.getContext("2d"), image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer), colours = palette();
    const shades = populations.length ? populations.map((_, k) => inks(mark.opacity, colours[k % colours.length]))
      : [inks(mark.opacity, css("--spike"))];
    for (let i = 0; i < count.length; i++) if (count[i]) pixels[i] = shades[owner[i]][Math.min(count[i], 15)];
    context.putImageData(image, 0, 0);
  }

  /** Marks as high as a neuron's row; where they would cover one another, small and translucent. */
  function marked(row, ratio, visible, area) {
    if (row >= 3.5 * ratio) {
      const tall = Math.round(Math.min(row * 0.72, 18 * ratio));
      const bold = visible < 3000 && tall >= 6 * ratio ? 1.5 : 1;
      return { tall, wide: Math.max(1, Math.round(bold * ratio)), opacity: 1 };
    }
    const least = visible * 100 < area ? 2 : 1.4; // few spikes need not hide behind their size
    const side = Math.max(1, Math.round(Math.min(Math.max(0.75 * row, least * ratio), 2.2 * ratio)));
    return { tall: side, wide: side, opacity: Math.min(1, Math.max(0.3, (0.35 * area) / (visible * side * side))) };
  }

  /** The colour of as many spikes on one pixel as the index says, as the canvas has it. */
  function inks(opacity, colour) {
    const one = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    one.fillStyle = colour;
    one.fillRect(0, 0, 1, 1);
    const [red, green, blue] = one.getImageData(0, 0, 1, 1).data;
    return Uint32Array.from({ length: 16 }, (_, n) =>
      ((Math.round(255 * (1 - (1 - opacity) ** n)) << 24) | (blue << 16) | (green << 8) | red) >>> 0);
  }

  /** Names the spike under the mouse. */
  function point(event) {
    const { size, from, to, low, high } = view(), box = element.getBoundingClientRect();
    const at = [event.clientX - box.left - size.l, event.clientY - box.top - size.t];
    const perTime = size.w / (to - from), perNeuron = size.h / (high - low);
    const time = from + at[0] / perTime;
    let best = -1, least = NEAR * NEAR;
    for (let i = lower(x, time - NEAR / perTime); i < x.length && x[i] <= time + NEAR / perTime; i++) {
      const distance = ((x[i] - time) * perTime) ** 2 + ((high - y[i]) * perNeuron - at[1]) ** 2;
      if (distance < least) { least = distance; best = i; }
    }
    tip.hidden = best < 0 || event.buttons > 0 || at[0] < 0 || at[0] > size.w;
    if (tip.hidden) return;
    tip.textContent = `${neuronName(y[best], populations)}, ${number(x[best], 6)} ${unit}`;
    const left = size.l + (x[best] - from) * perTime, end = left > size.w * 0.7;
    Object.assign(tip.style, { top: `${size.t + (high - y[best]) * perNeuron}px`,
      left: `${left + (end ? -10 : 10)}px`, transform: `translate(${end ? "-100%" : "0"}, -50%)` });
  }
}

/** The traces of a figure that has none: axes need one to be there. */
const nothing = () => [{ type: "scatter", mode: "markers", x: [0], y: [0], opacity: 0, hoverinfo: "skip" }];

/** The first place in sorted values that is not below one. */
function lower(values, one) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < one) low = middle + 1; else high = middle;
  }
  return low;
}

/** The first place in sorted values that is above one. */
function upper(values, one) {
  let at = lower(values, one);
  while (at < values.length && values[at] === one) at++;
  return at;
}
