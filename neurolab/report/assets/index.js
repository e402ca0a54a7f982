// The index: runs and sweeps, filtered, sorted, and two of them side by side.

const entries = data.entries.map((entry) => ({ ...entry, text: [entry.name, entry.path, entry.date,
  entry.status, entry.sweep ? "sweep" : "run", ...entry.overrides].join(" ").toLowerCase() }));
const chosen = new Set();
const SORTS = { newest: [(e) => e.date, -1], oldest: [(e) => e.date, 1], name: [(e) => e.name.toLowerCase(), 1],
  "rate, highest": [(e) => e.rate ?? -1, -1], "rate, lowest": [(e) => e.rate ?? Infinity, 1],
  "time, longest": [(e) => e.wall ?? -1, -1] };

const box = h("input", { type: "search", id: "filter", placeholder: "adexif rate=20Hz", spellcheck: "false",
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
  ...[["Status", status], ["Show", kind], ["Sort by", sort]].map(([text, one]) =>
    h("label", { for: one.id }, `${text} `, one))), told, list, end, bar);
show();
new IntersectionObserver(([seen]) => { if (seen.isIntersecting) more(); }, { rootMargin: "1500px" }).observe(end);

function show() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = entries.map((_, i) => i).filter((i) => {
    const entry = entries[i];
    return words.every((word) => entry.text.includes(word)) && (!status.value || entry.status === status.value) &&
      (!kind.value || (kind.value === "sweep") === entry.sweep);
  });
  const [by, way] = SORTS[sort.value];
  shown.sort((a, b) => (by(entries[a]) < by(entries[b]) ? -way : by(entries[a]) > by(entries[b]) ? way : a - b));
  rest = shown;
  list.replaceChildren();
  more();
  told.textContent = shown.length === entries.length ? "" : `${shown.length} of ${entries.length}`;
}

/** The next entries: those far below are made when one comes near them. */
function more() {
  list.append(...rest.slice(0, 50).map(row));
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
  const box = h("input", { type: "checkbox", id: `pick-${i}`, "data-entry": i, onchange: (event) => {
    if (event.target.checked) chosen.add(i); else chosen.delete(i);
    if (chosen.size > 2) chosen.delete([...chosen][0]); // the two that were chosen last
    selected();
  } });
  return h("li.entry", {}, h("a.thumbnail", { href: page, tabindex: -1, "aria-hidden": "true" }, picture),
    h("div.about", {}, h("h2", {}, h("a", { href: page }, entry.name)),
      h("p.facts", {}, badge(entry.status), h("span", {}, entry.date), h("span", {}, entry.path),
        entry.message ? h("span", {}, entry.message) : null),
      entry.overrides.length ? h("p.chips", {}, entry.overrides.map((text) => h("code", {}, text))) : null),
    h("dl.numbers", {}, [...values, ["took", entry.took]].map(([name, text]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    h("label.pick", { for: box.id }, box, " compare"));
}

function selected() {
  for (const [i, one] of rows) {
    one.querySelector("input").checked = chosen.has(i);
    one.classList.toggle("chosen", chosen.has(i));
  }
  bar.hidden = !chosen.size;
  compareButton.disabled = chosen.size !== 2;
  comparing.textContent = chosen.size === 2 ? [...chosen].map((i) => entries[i].path).join(" and ")
    : `${[...chosen].map((i) => entries[i].path)}: choose one more to compare it with.`;
}

function draw() {}
window.neurolab = { draw };
