// What is typed to find some of many: runs of an index, points of a sweep.

/** A filter as a function of what is filtered: texts, and comparisons such as rate_hz>20 or tau=12ms; null and why
 * not. What names no column is a text where there is an `otherwise`. */
function readFilter(text, all, otherwise = null) {
  const tests = [];
  for (const one of words(text)) {
    const found = TERM.exec(one);
    if (!found) { tests.push((otherwise ?? ((low) => contains(low, all)))(unquoted(one).toLowerCase())); continue; }
    const [, name, sign, typed] = found, wanted = unquoted(typed), { fits, column } = columnNamed(name, all);
    if (!column && otherwise) { tests.push(otherwise(one.toLowerCase())); continue; }
    if (!column) return { why: `There is no column ${name}; there are ${all.map((c) => c.name).join(", ")}.` };
    if (fits.length > 1 && column.name !== name)
      return { why: `${name} may be ${fits.map((c) => c.name).join(" or ")}.` };
    const unit = column.numeric && column.unit && wanted.replace(/^[-+]?[\d.]+(e[-+]?\d+)?/i, "").trim();
    if (unit && unit !== column.unit) return { why: `${column.name} is in ${column.unit}, not in ${unit}.` };
    tests.push(compares(column, sign, wanted));
  }
  return { test: (point) => tests.every((test) => test(point)) };
}

/** With spaces between them, but for those in "". */
const words = (text) => text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
const unquoted = (text) => text.replaceAll('"', "");
const TERM = /^([\w.@/]+?)(<=|>=|!=|=|<|>)(.+)$/;

/** The columns that a name, or the end of one, may be of; and which it is. */
function columnNamed(name, all) {
  const fits = all.filter((c) => c.name === name || c.name.endsWith(`.${name}`) || c.name.endsWith(`/${name}`));
  return { fits, column: fits.find((c) => c.name === name) || fits[0] };
}

/** A filter with other limits of some columns: between two numbers, or one of some values. */
function limited(text, all, limits) {
  const names = new Set(limits.map(([name]) => name));
  const kept = words(text).filter((one) => !names.has(columnNamed(TERM.exec(one)?.[1] ?? "", all).column?.name));
  const short = (v, digits) => String(Number(v.toPrecision(digits)));
  const quoted = (v) => (/\s/.test(v) ? `"${v}"` : v);
  const own = limits.map(([name, { between, of, exact, numeric }]) => (between
    ? `${name}>=${short(between[0], exact ? 7 : 4)} ${name}<=${short(between[1], exact ? 7 : 4)}`
    : `${name}=${of.map((v) => (numeric && typeof v === "number" ? short(v, 7) : quoted(String(v)))).join(",")}`));
  return [...kept, ...own].join(" ");
}

const contains = (text, all) => (point) =>
  all.some((column) => column.text(column.get(point)).toLowerCase().includes(text));

function compares({ get, numeric, text }, sign, wanted) {
  const limit = parseFloat(wanted);
  if (numeric && !Number.isNaN(limit)) {
    const close = (v) => v === limit || Math.abs(v - limit) <= 5e-4 * Math.abs(limit); // as it is shown
    const tests = { "=": close, "!=": (v) => !close(v), "<": (v) => v < limit, ">": (v) => v > limit,
      "<=": (v) => v < limit || close(v), ">=": (v) => v > limit || close(v) };
    return (point) => { const v = get(point); return v !== null && tests[sign](v); };
  }
  const low = wanted.toLowerCase(), of = (point) => text(get(point)).toLowerCase();
  const any = numeric ? [low] : [low, ...low.split(",")]; // one of several
  const tests = { "=": (t) => any.includes(t), "!=": (t) => !any.includes(t), "<": (t) => t < low, ">": (t) => t > low,
    "<=": (t) => t <= low, ">=": (t) => t >= low };
  return (point) => tests[sign](of(point));
}
