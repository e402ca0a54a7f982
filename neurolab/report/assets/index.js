// The index: runs and sweeps as a list or a table, filtered, sorted, and some of them side by side.

const entries = data.entries.map((entry) => ({ ...entry, text: [entry.name, entry.path, entry.date,
  entry.status, entry.sweep ? "sweep" : "run", ...entry.overrides].join(" ").toLowerCase() }));
const chosen = new Set(), MOST_CHOSEN = 6;
const columns = indexColumns(entries);
let head = { column: null, up: true }; // the column of the table that it is sorted by
const SORTS = { newest: [(e) => e.date, -1], oldest: [(e) => e.date, 1], name: [(e) => e.name.toLowerCase(), 1],
  "rate, highest": [(e) => e.rate ?? -1, -1], "rate, lowest": [(e) => e.rate ?? Infinity, 1],
  "time, longest": [(e) => e.wall ?? -1, -1] };

const box = h("input", { type: "search", id: "filter", placeholder: "adexif   rate_hz_mean>20   tau=12ms", spellcheck: "false",
  autocomplete: "off", value: address.get("filter"), oninput: () => { address.set("filter", box.value.trim()); show(); } });
const statuses = [...new Set(entries.map((entry) => entry.status))].sort();
const select = (id, options) => {
  const one = h("select", { id, onchange: () => { address.set(id, one.value === options[0][0] ? null : one.value); show(); } },
    options.map(([value, text]) => h("option", { value, selected: value === address.get(id) }, text)));
  return one;
};
const status = select("status", [["", "any status"], ...statuses.map((s) => [s, s])]);
const kind = select("kind", [["", "runs and sweeps"], ["run", "runs"], ["sweep", "sweeps"]]);
const sort = select("sort", Object.keys(SORTS).map((name) => [name, name]));
sort.addEventListener("change", () => { head = { column: null, up: true }; show(); });
const view = select("view", [["list", "list"], ["table", "table"]]);
const table = indexTable(columns, (column) => {
  head = { column, up: head.column === column ? !head.up : true };
  show();
}, pick);
const told = h("p.hint", { id: "told", "aria-live": "polite" });
const list = h("ul.entries", { id: "entries" });
const end = h("p.hint", {}, "more ...");
const rows = new Map(); // made when first shown
let rest = []; // those that are not shown yet
const compareButton = h("button.primary", { type: "button", id: "compare", onclick: () => {
  compare(...[...chosen].map((i) => entries[i]));
} }, "Compare");
const comparing = h("p", { "aria-live": "polite" });
const bar = h("div.bar", { hidden: true }, comparing, compareButton,
  h("button.quiet", { type: "button", onclick: () => { chosen.clear(); selected(); } }, "Clear"));

main.append(header(data.title, "", [plural(entries.filter((e) => !e.sweep).length, "run"),
  plural(entries.filter((e) => e.sweep).length, "sweep")], []),
h("div.controls", {}, h("label.filter", { for: "filter" }, "Filter ", box),
  ...[["Status", status], ["Show", kind], ["Sort by", sort], ["As", view]].map(([text, one]) =>
    h("label", { for: one.id }, `${text} `, one))), told, list, table.element, end, bar);
show();
new IntersectionObserver(([seen]) => { if (seen.isIntersecting) more(); }, { rootMargin: "1500px" }).observe(end);

function show() {
  const { test, why } = readFilter(box.value, columns.all, (word) => (i) => entries[i].text.includes(word));
  box.setAttribute("aria-invalid", String(Boolean(why)));
  if (why) { told.textContent = why; return; }
  const shown = entries.map((_, i) => i).filter((i) => {
    const entry = entries[i];
    return test(i) && (!status.value || entry.status === status.value) &&
      (!kind.value || (kind.value === "sweep") === entry.sweep);
  });
  const [by, way] = SORTS[sort.value];
  shown.sort((a, b) => (by(entries[a]) < by(entries[b]) ? -way : by(entries[a]) > by(entries[b]) ? way : a - b));
  if (head.column) shown.sort(ordered);
  rest = shown;
  list.hidden = view.value === "table";
  table.element.hidden = !list.hidden;
  list.replaceChildren();
  table.start(list.hidden ? shown : [], columns.all, head);
  more();
  told.textContent = shown.length === entries.length ? "" : `${shown.length} of ${entries.length}`;
}

/** By the column of the table; what is not known comes last. */
function ordered(a, b) {
  const [one, other] = [a, b].map(head.column.get);
  if (one === null || other === null) return (one === null) - (other === null) || a - b;
  const way = head.column.numeric ? one - other : String(one).localeCompare(String(other), "en", { numeric: true });
  return (head.up ? way : -way) || a - b;
}

/** The next entries: those far below are made when one comes near them. */
function more() {
  if (list.hidden) table.append(rest.slice(0, 50).map((i) => [entries[i], i]));
  else list.append(...rest.slice(0, 50).map(row));
  selected();
  rest = rest.slice(50);
  end.hidden = !rest.length;
}

function row(i) {
  if (!rows.has(i)) rows.set(i, made(entries[i], i));
  return rows.get(i);
}

function made(entry, i) {
  const page = entry.report ? `${entry.link}report.html` : entry.link;
  const picture = entry.picture
    ? h("img", { src: entry.link + entry.picture, alt: "", loading: "lazy", width: 160, height: 90 })
    : h("span.blank", {}, "no picture");
  const values = entry.sweep
    ? [["points", entry.points === null ? "–" : number(entry.points)],
      ["completed", entry.completed === null ? "–" : number(entry.completed)]]
    : [["rate", withUnit(number(entry.rate, 3), entry.rate === null ? "" : "Hz")], ["ISI CV", number(entry.cv, 3)]];
  return h("li.entry", {}, h("a.thumbnail", { href: page, tabindex: -1, "aria-hidden": "true" }, picture),
    h("div.about", {}, h("h2", {}, h("a", { href: page }, entry.name)),
      h("p.facts", {}, badge(entry.status), h("span", {}, entry.date), h("span", {}, entry.path),
        entry.message ? h("span", {}, entry.message) : null),
      entry.overrides.length ? h("p.chips", {}, entry.overrides.map((text) => h("code", {}, text))) : null),
    h("dl.numbers", {}, [...values, ["took", entry.took]].map(([name, text]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    h("label.pick", { for: `pick-list-${i}` }, pick(i, "list"), " compare"));
}

/** The box by which an entry is chosen, in the list or in the table. */
function pick(i, where) {
  return h("input", { type: "checkbox", id: `pick-${where}-${i}`, "data-entry": i, "aria-label": `compare ${entries[i].path}`,
    onchange: (event) => {
      if (event.target.checked) chosen.add(i); else chosen.delete(i);
      if (chosen.size > MOST_CHOSEN) chosen.delete([...chosen][0]); // those that were chosen last
      selected();
    } });
}

function selected() {
  for (const one of document.querySelectorAll("input[data-entry]")) {
    one.checked = chosen.has(Number(one.dataset.entry));
    one.closest("li, tr").classList.toggle("chosen", one.checked);
  }
  bar.hidden = !chosen.size;
  compareButton.disabled = chosen.size < 2;
  const paths = [...chosen].map((i) => entries[i].path);
  comparing.textContent = paths.length > 1 ? `${paths.slice(0, -1).join(", ")} and ${paths.at(-1)}`
    : `${paths}: choose one more to compare it with.`;
}

function draw() {}
window.neurolab = { draw };
