// The points of a sweep: their keys, values and statuses, by index.

const KEYS = data.keys, VALUES = data.values, N = data.status_of.length;
const COMPLETED = data.statuses.indexOf("completed");
const statusOf = (point) => data.statuses[data.status_of[point]];
const completed = (point) => data.status_of[point] === COMPLETED;
const keyValue = (key, point) => key.values[key.of[point]];
const valueText = (key, value, digits = 4) =>
  withUnit(key.numeric ? number(value, digits) : String(value), key.numeric ? key.unit : "");
const keyLabel = ({ name, unit }) => (unit ? `${name} (${unit})` : name);
const valueLabel = ({ long_name: text, unit }) => (unit ? `${text} (${unit})` : text);

/** A key that a sample or a list has a value of its own of for nearly every point. */
const sampled = (key) => key.sampled && key.numeric && key.values.length > Math.min(0.5 * N, 40);

/** What was typed for a point, as a command; an experiment may be a sweep by itself. */
function commandOf(point) {
  const { texts, common, of } = data.typed;
  const all = [...common, ...of[point]].map((i) => texts[i]);
  if (all.some((text) => text.startsWith("experiment="))) all.push("hydra.mode=RUN");
  return ["python -m neurolab", ...all.map(inShell)].join(" ");
}

/** What a point is told by in a hover box. */
function aboutPoint(point) {
  const lines = KEYS.map((key) => `${key.name} = ${valueText(key, keyValue(key, point))}`);
  const message = data.messages[point] ? `: ${data.messages[point]}` : "";
  return escaped([`point ${point}`, ...lines, completed(point) ? "" : statusOf(point) + message]
    .filter(Boolean)).join("<br>");
}

/** Plotly reads a little HTML in its texts: what was typed is not to be read so. */
const escaped = (texts) => texts.map((text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"));

/** Mean and standard deviation of the known ones of some points' values. */
function statistics(value, points) {
  const known = points.filter((p) => completed(p)).map((p) => value.of[p]).filter((v) => v !== null);
  if (!known.length) return { mean: null, sd: 0, n: 0 };
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  const square = known.reduce((a, b) => a + (b - mean) ** 2, 0) / known.length;
  return { mean, sd: Math.sqrt(square), n: known.length };
}

/** Points by some property of them, in the order it first appears in. */
function grouped(points, property) {
  const groups = new Map();
  for (const point of points) {
    const name = property(point);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(point);
  }
  return groups;
}
