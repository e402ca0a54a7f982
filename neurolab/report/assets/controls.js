// What a picture is chosen with; what is not as usual is in the address.

/** A labelled select; options are [value, text]. */
function choice(label, id, options, usual, changed) {
  const kept = options.find(([, text]) => String(text) === address.get(id));
  const chosen = kept ? kept[0] : usual;
  const note = () => {
    const option = select.options[select.selectedIndex];
    address.set(id, option.value === String(usual) ? null : option.textContent);
    changed();
  };
  const select = h("select", { id, onchange: note }, options.map(([value, text]) =>
    h("option", { value, selected: String(value) === String(chosen) }, text)));
  return { select, element: h("div.choice", {}, h("label", { for: id }, label), select) };
}

/** The values of a number, in their order, along a slider; its value is the place of one of them. */
function slider(id, key, changed) {
  const texts = key.values.map((v) => valueText(key, v)), told = h("output", { for: id });
  const say = () => {
    told.textContent = texts[input.value];
    input.setAttribute("aria-valuetext", texts[input.value]);
  };
  const input = h("input", { type: "range", id, min: 0, max: texts.length - 1, step: 1,
    value: Math.max(0, texts.indexOf(address.get(id))), oninput: () => {
      say();
      address.set(id, input.value === "0" ? null : texts[input.value]);
      changed();
    } });
  say();
  return { select: input, element: h("div.choice", {}, h("label", { for: id }, key.name), input, told) };
}

/** Something to be there or not. */
function toggle(label, id, usual, changed) {
  const kept = address.get(id), box = h("input", { type: "checkbox", id, checked: kept === null ? usual : kept === "yes",
    onchange: () => {
      address.set(id, box.checked === usual ? null : box.checked ? "yes" : "no");
      changed();
    } });
  return { box, element: h("div.choice.toggle", {}, box, h("label", { for: id }, label)) };
}
