// The points of a sweep: their keys, values and statuses, by index.

const KEYS = data.keys, VALUES = data.values, N = data.n;
const AXES = [...KEYS, ...data.joint]; // what an axis of a picture may be
AXES.forEach((key, i) => {
  const at = array(`place${i}`);
  key.values ??= Array.from(array(`key${i}`));
  key.place = (point) => Math.floor(point / key.stride) % at.length;
  key.of = new Uint32Array(N).map((_, p) => at[key.place(p)]);
});
VALUES.forEach((value, i) => {
  value.of = Array.from(array(`value${i}`), (v) => (Number.isNaN(v) ? null : v));
});
data.status_of = array("status");
const COMPLETED = data.statuses.indexOf("completed");
const statusOf = (point) => data.statuses[data.status_of[point]];
const completed = (point) => data.status_of[point] === COMPLETED;
const keyValue = (key, point) => key.values[key.of[point]];
const valueText = (key, value, digits = 4) =>
  withUnit(key.numeric ? number(value, digits) : String(value), key.numeric ? key.unit : "");
const keyLabel = ({ name, unit }) => (unit ? `${name} (${unit})` : name);
/** With what its model says of it, where there is room for so many letters. */
const keyWords = (key, most) => {
  const whole = key.about ? `${key.about}, ${keyLabel(key)}` : keyLabel(key);
  return whole.length <= most ? whole : keyLabel(key);
};
const valueLabel = ({ long_name: text, unit }) => (unit ? `${text} (${unit})` : text);

/** Seeds as repetitions: the point that the first of them is. */
const SEED = KEYS.find((key) => key.repeated);
const firstOf = (point) => point - SEED.place(point) * SEED.stride;

/** What was typed for a point, as a command; an experiment may be a sweep by itself. */
function commandOf(point) {
  const fixed = data.fixed.map((text) => text.replaceAll(/\$\{hydra:job\.(num|id)\}/g, point));
  const own = KEYS.map((key) => {
    const text = key.texts ? key.texts[key.place(point)]
      : `${Number(keyValue(key, point).toPrecision(12))}${key.unit}`;
    return text === null ? "" : `${key.typed}=${text}`;
  });
  const typed = [...fixed, ...own, ...data.alone].filter(Boolean);
  return ["python -m neurolab", ...typed.map(inShell)].join(" ");
}

/** Of many points about as many as a picture shows at once, at random: every n-th of a Sobol
 * sequence would be a pattern. */
const SHOWN = 2000;
function thinned(points) {
  const part = (2 ** 32 * SHOWN) / points.length;
  const mixed = (x) => Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  const chance = (i) => { const x = mixed(mixed(i + 1)); return (x ^ (x >>> 16)) >>> 0; };
  return points.length <= SHOWN ? points : points.filter((_, i) => chance(i) < part);
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

/** Whether a point has a value to be shown: not one of a point that was not completed, unless the
 * value says so. */
const has = (value, point) => value.of[point] !== null && (completed(point) || value.so_far);

/** Mean and standard deviation, of n - 1 degrees of freedom, of the known ones of repetitions. */
function statistics(value, points) {
  const known = points.filter((p) => has(value, p)).map((p) => value.of[p]);
  if (!known.length) return { mean: null, sd: 0, n: 0 };
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  const square = known.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(known.length - 1, 1);
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
