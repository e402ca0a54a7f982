// What is typed to find some of many: runs of an index, points of a sweep.

/** A filter as a function of what is filtered: texts, and comparisons such as rate_hz>20 or tau=12ms; null and why
 * not. What names no column is a text where there is an `otherwise`. */
function readFilter(text, all, otherwise = null) {
  const tests = [], typed = text.trim().split(/\s+/).filter(Boolean);
  for (const one of typed) {
    const found = /^([\w.@/]+?)(<=|>=|!=|=|<|>)(.+)$/.exec(one);
    if (!found) { tests.push((otherwise ?? ((low) => contains(low, all)))(one.toLowerCase())); continue; }
    const [, name, sign, wanted] = found;
    const fits = all.filter((c) => c.name === name || c.name.endsWith(`.${name}`) || c.name.endsWith(`/${name}`));
    const column = fits.find((c) => c.name === name) || fits[0];
    if (!column && otherwise) { tests.push(otherwise(one.toLowerCase())); continue; }
    if (!column) return { why: `There is no column ${name}; there are ${all.map((c) => c.name).join(", ")}.` };
    if (fits.length > 1 && column.name !== name)
      return { why: `${name} may be ${fits.map((c) => c.name).join(" or ")}.` };
    const unit = column.numeric && column.unit && /^[-+\d.e]+\s*([a-zA-Z/%].*)$/.exec(wanted)?.[1];
    if (unit && unit !== column.unit) return { why: `${column.name} is in ${column.unit}, not in ${unit}.` };
    tests.push(compares(column, sign, wanted));
  }
  return { test: (point) => tests.every((test) => test(point)) };
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
  const tests = { "=": (t) => t === low, "!=": (t) => t !== low, "<": (t) => t < low, ">": (t) => t > low,
    "<=": (t) => t <= low, ">=": (t) => t >= low };
  return (point) => tests[sign](of(point));
}
