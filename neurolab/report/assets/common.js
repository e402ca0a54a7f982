// What all pages share: data, elements, theme, badges, copying. User text goes in as textContent only.

const data = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
const TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array,
  float32: Float32Array, float64: Float64Array };

/** An array that Python embedded, by its name; null if there is none. */
function array(name) {
  const element = [...document.querySelectorAll("script[data-name]")]
    .find((one) => one.dataset.name === name);
  if (!element) return null;
  const text = atob(element.textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new TYPES[element.dataset.type](bytes.buffer);
}

/** What is shown, in the address: it can be sent, and stays when the page is read again. */
const address = {
  get: (key) => new URLSearchParams(location.hash.slice(1)).get(key),
  /** `null` and "" leave a key out. */
  set(key, value) {
    const now = new URLSearchParams(location.hash.slice(1));
    if (value === null || value === "") now.delete(key); else now.set(key, value);
    const text = String(now);
    try { history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search); }
    catch { /* a browser may forbid it to files, or so often */ }
  },
};

/** An element: h("td.number", {title: "..."}, "text", other, ...). */
function h(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const GROUPED = new Intl.NumberFormat("en"); // toLocaleString makes one each time

/** A number as one reads it: at most `digits` significant ones. */
function number(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return Math.abs(value) < 1000 ? String(value + 0) : GROUPED.format(value);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(digits - 1).replace(/\.?0+e/, "e");
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) < 1000 ? String(rounded) : GROUPED.format(rounded);
}

/** With its unit, if it has one. */
const withUnit = (text, unit) => (unit ? `${text} ${unit}` : text);
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

// A status is a colour, a symbol and a word: any one of them is enough.
const MARKS = { completed: "●", interrupted: "◐", partial: "◇", diverged: "×", failed: "△", refused: "□", damaged: "▽",
  missing: "○", killed: "△", "running or killed": "◇", running: "◇" };

function badge(status) {
  const mark = h("span", { "aria-hidden": "true" }, MARKS[status] || "○");
  return h("span.badge", { "data-status": status }, mark, ` ${status}`);
}

const AGAIN_S = 10; // a page of what goes on is read again

/** The top of a page. */
function header(title, status, facts, overrides) {
  document.title = title;
  if (status === "running") setInterval(() => { if (!document.hidden) location.reload(); }, 1000 * AGAIN_S);
  const line = h("p.facts", {}, status ? badge(status) : null,
    facts.filter(Boolean).map((fact) => h("span", {}, fact)));
  const typed = overrides.length
    ? h("p.chips", { "aria-label": "overrides" }, overrides.map((text) => h("code", {}, text)))
    : null;
  const links = (data.links || []).map(({ text, href }) => h("a", { href }, text));
  const where = links.length ? h("nav.links", { "aria-label": "pages and files" }, links) : null;
  return h("header.top", {}, h("div.titles", {}, where, h("h1", {}, title), line, typed), themeButton());
}

function tiles(list) {
  return h("dl.tiles", {}, list.map((tile) => h("div.tile", {}, h("dt", {}, tile.label),
    h("dd", {}, h("b", {}, tile.value), " ", tile.unit ? h("span.unit", {}, tile.unit) : null),
    tile.note ? h("dd.note", {}, tile.note) : null)));
}

function card(title, ...children) {
  const id = `part-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return h("section.card", { "aria-labelledby": id }, h("h2", { id }, title), children);
}

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
const themed = []; // what draws anew in another theme

function themeButton() {
  const button = h("button.quiet.theme", { type: "button", onclick: () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try { localStorage.setItem("neurolab.theme", theme); } catch { /* as in theme.js */ }
    changed();
  } });
  const say = () => { button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `${isDark() ? "Light" : "Dark"} theme`); };
  const changed = () => { say(); themed.forEach((draw) => draw()); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  say();
  return button;
}

/** A command that can be copied; where the browser forbids that, it is selected. */
function copyable(text) {
  const code = h("code.command", { tabindex: 0 }, text);
  const button = h("button.quiet", { type: "button", onclick: async () => {
    getSelection().selectAllChildren(code);
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
    catch { button.textContent = "Selected"; }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  } }, "Copy");
  return h("div.copyable", {}, code, button);
}

const inShell = (text) =>
  (/^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** What a page says where plots would be, if the library it links to is not there. */
function withoutPlots(folder, pictures = []) {
  const command = `python -m neurolab.report ${inShell(folder)} --standalone`;
  return h("section.card.notice", { role: "alert" }, h("h2", {}, "The plots are missing"),
    h("p", {}, "This page draws with a library in a file beside it, which is not where it was: " +
      "the page was moved, or the folder assets was. Tables work without it. Written anew, the " +
      "page finds it, and with --standalone it holds it and can be sent:"),
    copyable(command),
    pictures.map((name) => h("img.picture", { src: encodeURI(name), alt: name,
      onerror: (event) => event.target.remove() })));
}
