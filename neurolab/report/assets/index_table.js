// The index as a table of runs: columns of summaries, and of what differs in their configurations.

/** Keys that have a column of their own; more would not fit. */
const MOST_KEYS = 12;
const SUMMARY = ["rate_hz_mean", "isi_cv_mean", "spike_count", "points", "completed", "duration_ms", "wall_s"];

/** A text as a number and its unit. */
const quantity = (text) => /^([-+]?[\d.]+(?:e[-+]?\d+)?)\s*([a-zA-Z/%*^\d-]*)$/.exec(text ?? "");

/** A column of texts by entry; of numbers, if all have one unit. */
function columnOf(name, texts) {
  const read = new Map([...texts].map(([i, text]) => [i, quantity(text)]));
  const known = [...texts].filter(([, text]) => !["", "null"].includes(text));
  const units = new Set(known.map(([i]) => read.get(i)?.[2]));
  if (known.length && units.size === 1 && !units.has(undefined))
    return { name, unit: [...units][0], numeric: true, get: (i) => (read.get(i) ? Number(read.get(i)[1]) : null),
      text: (value) => (value === null ? "" : number(value, 4)) };
  const short = (v) => (name.endsWith("_target_") ? v.split(".").pop() : v); // a class, without its module
  return { name, unit: "", numeric: false, get: (i) => texts.get(i)?.replace(/\s+/g, "") ?? null, text: (v) => short(v ?? "") };
}

/** What entries can be filtered and sorted by: what they are, their summaries, their configurations. */
function indexColumns(entries) {
  const own = ["name", "path", "date", "status"].map((key) => columnOf(key, new Map(entries.map((entry, i) => [i, entry[key]]))));
  const gathered = (lists) => {
    const found = new Map();
    lists.forEach((list, i) => list.forEach(([key, text]) => {
      if (!found.has(key)) found.set(key, new Map());
      found.get(key).set(i, text);
    }));
    return [...found].map(([key, texts]) => columnOf(key, texts));
  };
  const summary = gathered(entries.map(({ values }) => values)).filter(({ name }) => !own.some((one) => one.name === name));
  const config = gathered(entries.map(({ config: of }) => of.map(([key, value]) => [data.texts[key], data.texts[value]])));
  return { own, summary, config, all: [...own, ...summary, ...config.filter(({ name }) => !summary.some((one) => one.name === name))] };
}

/** A table of entries: `by` sorts by a column, `pick` is the box of an entry. */
function indexTable({ summary, config }, by, pick) {
  const head = h("tr"), body = h("tbody"), note = h("p.hint");
  const element = h("div", {}, note, h("div.table", { tabindex: 0, role: "region", "aria-label": "runs" },
    h("table.runs", { id: "runs" }, h("thead", {}, head), body)));
  let shown = [];

  /** The columns of these entries: values that one of them has, keys that differ among them. */
  function columns(indices) {
    const some = (column) => indices.some((i) => column.get(i) !== null);
    const differ = config.filter((column) => new Set(indices.map(column.get)).size > 1);
    note.textContent = differ.length > MOST_KEYS ? `${MOST_KEYS} of ${differ.length} keys that differ; a filter makes them fewer.` : "";
    const asked = summary.filter(({ name }) => !SUMMARY.includes(name) && /_(mean|std|min|max|final)$/.test(name) && !name.startsWith("rate_hz"));
    const usual = SUMMARY.map((name) => summary.find((one) => one.name === name)).filter(Boolean);
    const values = [...usual, ...asked].filter(some); // asked for in record.summary
    return [...values, ...differ.slice(0, MOST_KEYS)];
  }

  const start = (indices, all, sort) => {
    shown = columns(indices);
    const heads = [...["name", "date", "status"].map((name) => all.find((one) => one.name === name)), ...shown];
    head.replaceChildren(h("th", {}, h("span.hidden", { hidden: true }, "compare")), ...heads.map((column) => {
      const here = sort.column === column;
      return h(column.numeric ? "th.number" : "th", { scope: "col", "aria-sort": here ? (sort.up ? "ascending" : "descending") : "none" },
        h("button", { type: "button", onclick: () => by(column) }, column.name, column.unit ? h("small", {}, ` ${column.unit}`) : null,
          h("span.arrow", { "aria-hidden": "true" }, here ? (sort.up ? " ▲" : " ▼") : "")));
    }));
    body.replaceChildren();
  };
  const row = (entry, i) => h("tr", { "data-entry": i }, h("td", {}, pick(i, "table")),
    h("td", {}, h("a", { href: entry.report ? `${entry.link}report.html` : entry.link }, entry.name)), h("td", {}, entry.date),
    h("td", {}, badge(entry.status)), ...shown.map((column) =>
      h(column.numeric ? "td.number" : "td", {}, column.text(column.get(i)))));
  return { element, start, append: (entries) => body.append(...entries.map(([entry, i]) => row(entry, i))) };
}
