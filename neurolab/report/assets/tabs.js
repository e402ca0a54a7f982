// Views of one thing, one at a time.

/** Tabs of [name, text, element]; the one that is open is in the address under `id`, and `opened` is called with its
 * name. Arrows go along them. */
function tabs(id, label, entries, opened = () => {}) {
  const names = entries.map(([name]) => name);
  let now = names.includes(address.get(id)) ? address.get(id) : names[0];
  const buttons = entries.map(([name, text]) => h("button.tab", { type: "button", role: "tab", id: `${id}-${name}`,
    "aria-controls": `${id}-${name}-panel`, onclick: () => open(name) }, text));
  const panels = entries.map(([name, , element]) => h("div.tabpanel", { role: "tabpanel", id: `${id}-${name}-panel`,
    "aria-labelledby": `${id}-${name}` }, element));
  const list = h("div.tabs", { role: "tablist", "aria-label": label, onkeydown: (event) => {
    const at = names.indexOf(now), end = names.length - 1;
    const to = { ArrowRight: at < end ? at + 1 : 0, ArrowLeft: at ? at - 1 : end, Home: 0, End: end }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    open(names[to]);
    buttons[to].focus();
  } }, buttons);
  function show() {
    names.forEach((name, i) => {
      buttons[i].setAttribute("aria-selected", String(name === now));
      buttons[i].tabIndex = name === now ? 0 : -1;
      panels[i].hidden = name !== now;
    });
  }
  function open(name) {
    now = name;
    address.set(id, name === names[0] ? null : name);
    show();
    opened(name);
  }
  show();
  return { element: h("div.tabbed", {}, names.length > 1 ? list : null, panels), open, now: () => now };
}
