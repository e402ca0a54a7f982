// Two entries of the index side by side: pictures, summary values, and what differs.

/** Values of two lists of [key, text], by key, in the order of the first. */
function aligned(one, other) {
  const both = [new Map(one), new Map(other)];
  return [...new Set([...both[0].keys(), ...both[1].keys()])].map((key) => [key, ...both.map((m) => m.get(key))]);
}

const blankless = (text) => (text === undefined ? undefined : text.replace(/\s+/g, ""));

function compare(one, other) {
  const dialog = h("dialog.compare", { "aria-label": "two runs side by side" });
  const close = h("button.quiet", { type: "button", onclick: () => dialog.close() }, "Close");
  const config = (entry) => entry.config.map(([key, value]) => [data.texts[key], data.texts[value]]);
  const keys = aligned(config(one), config(other));
  const different = keys.filter(([, a, b]) => blankless(a) !== blankless(b));
  const all = h("input", { type: "checkbox", id: "all-keys", onchange: () => show() });
  const body = h("tbody"), hint = h("p.hint");
  const head = () => h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col" }, one.path), h("th", { scope: "col" }, other.path)));
  const line = ([key, a, b]) => h(blankless(a) === blankless(b) ? "tr" : "tr.differs", {},
    h("th", { scope: "row" }, key), ...[a, b].map((text) => h("td", {}, text ?? "–")));

  function show() {
    body.replaceChildren(...(all.checked ? keys : different).map(line));
    hint.textContent = different.length ? `${different.length} of ${plural(keys.length, "key")} differ.`
      : `All ${keys.length} keys are the same.`;
  }
  show();
  const side = (entry) => h("figure", {}, h("figcaption", {}, h("a", { href: entry.report ? `${entry.link}report.html` : entry.link }, entry.path),
    " ", badge(entry.status), h("span", {}, entry.date)),
  entry.picture ? h("img", { src: entry.link + entry.picture, alt: `${entry.picture} of ${entry.path}` }) : h("p.blank", {}, "no picture"));
  dialog.append(h("div.head", {}, h("h2", {}, one.name === other.name ? `Two of ${one.name}` : `${one.name}; ${other.name}`), close),
    h("div.sides", {}, side(one), side(other)),
    h("section", {}, h("h3", {}, "Configuration"), h("div.row", {}, hint, h("label", { for: "all-keys" }, all, " all keys")),
      h("div.scroll", {}, h("table.both", { id: "differences" }, head(), body))),
    h("section", {}, h("h3", {}, "Summary"),
      h("div.scroll", {}, h("table.both", {}, head(), h("tbody", {}, aligned(one.values, other.values).map(line))))));
  dialog.addEventListener("close", () => { dialog.remove(); document.getElementById("compare")?.focus(); });
  document.body.append(dialog);
  dialog.showModal();
}
