// Entries of the index side by side: pictures, summary values, and what differs.

/** Values of lists of [key, text], by key, in the order of the first. */
function aligned(lists) {
  const all = lists.map((list) => new Map(list));
  return [...new Set(all.flatMap((one) => [...one.keys()]))].map((key) => [key, ...all.map((one) => one.get(key))]);
}

const blankless = (text) => (text === undefined ? undefined : text.replace(/\s+/g, ""));

function compare(...some) {
  const dialog = h("dialog.compare", { "aria-label": "runs side by side" });
  const close = h("button.quiet", { type: "button", onclick: () => dialog.close() }, "Close");
  const config = (entry) => entry.config.map(([key, value]) => [data.texts[key], data.texts[value]]);
  const keys = aligned(some.map(config)), differs = ([, ...texts]) => new Set(texts.map(blankless)).size > 1;
  const different = keys.filter(differs);
  const all = h("input", { type: "checkbox", id: "all-keys", onchange: () => show() });
  const body = h("tbody"), hint = h("p.hint");
  const head = () => h("thead", {}, h("tr", {}, h("td"), some.map(({ path }) => h("th", { scope: "col" }, path))));
  const line = ([key, ...texts]) => h(differs([key, ...texts]) ? "tr.differs" : "tr", {},
    h("th", { scope: "row" }, key), ...texts.map((text) => h("td", {}, text ?? "–")));

  function show() {
    body.replaceChildren(...(all.checked ? keys : different).map(line));
    hint.textContent = different.length ? `${different.length} of ${plural(keys.length, "key")} differ.`
      : `All ${keys.length} keys are the same.`;
  }
  show();
  const side = (entry) => h("figure", {}, h("figcaption", {}, h("a", { href: entry.report ? `${entry.link}report.html` : entry.link }, entry.path),
    " ", badge(entry.status), h("span", {}, entry.date)),
  entry.picture ? h("img", { src: entry.link + entry.picture, alt: `${entry.picture} of ${entry.path}` }) : h("p.blank", {}, "no picture"));
  const names = [...new Set(some.map(({ name }) => name))];
  const title = names.length > 1 ? names.join("; ") : `${some.length} of ${names[0]}`;
  dialog.append(h("div.head", {}, h("h2", {}, title), close), h("div.sides", {}, some.map(side)),
    h("section", {}, h("h3", {}, "Configuration"), h("div.row", {}, hint, h("label", { for: "all-keys" }, all, " all keys")),
      h("div.scroll", {}, h("table.both", { id: "differences" }, head(), body))),
    h("section", {}, h("h3", {}, "Summary"),
      h("div.scroll", {}, h("table.both", {}, head(), h("tbody", {}, aligned(some.map(({ values }) => values)).map(line))))));
  dialog.addEventListener("close", () => { dialog.remove(); document.getElementById("compare")?.focus(); });
  document.body.append(dialog);
  dialog.showModal();
}
