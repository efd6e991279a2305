// Elements. Whatever comes from the data is set as text, never as markup.

/** An element: attributes (``class``, ``on…`` listeners, ``style`` as an object), then children or texts. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, part] of Object.entries(value)) element.style.setProperty(key, part);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined).map(
    (child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes. */
function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** A number with some digits; empty where it is not defined. */
const fixed = (value, digits = 3) => (value === null || value === undefined ? "" : value.toFixed(digits));
const percent = (value) => (value === null || value === undefined ? "" : `${(100 * value).toFixed(0)} %`);
/** A p-value; a very small one is not 0. */
const chance = (value) => (value < 5e-4 ? "< 0.001" : fixed(value));
const whole = (value) => value.toLocaleString("en");
const signed = (value, digits = 3) =>
  value === null || value === undefined ? "" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
const plural = (count, one, many) => `${whole(count)} ${count === 1 ? one : many ?? one + "s"}`;

/** The mark beside every result that was measured on drawn data. */
const drawn = (synthetic) => (synthetic ? h("span", { class: "tag drawn" }, "SYNTHETIC") : null);
/** The state of the data of a run, without numbers of clips. */
const stateKind = (entry) => (entry.state ?? "").split(":")[0];
/** What a run was made of, unless it is of the data as they are now. */
const stateTag = (entry) => (!entry.state || entry.state === "now" ? null : h("span", { class: "tag drawn", title: STATES[stateKind(entry)] }, entry.state));
const stated = (entry) => (!entry.state || entry.state === "now" ? entry.key : `${entry.key} [${entry.state}]`);
const STATES = {
  "old data": "Made from data of this work folder that have changed since: run it again",
  "old labels": "Its test samples have other labels now, or are gone or tested no more, so that it has no rank: run it again",
  "not known": "Kept no digest that could be compared: whether the data have changed since is not known",
};
const tag = (text) => h("span", { class: "tag" }, text);

function tile(label, value, below = "") {
  return h("div", { class: "tile" }, h("span", {}, label), h("b", {}, value === "" ? "–" : value), below ? h("span", {}, below) : null);
}

/** A table; columns are ``[head, "num" or "wide" or ""]``, cells texts or elements. */
function table(columns, rows, { name = "plain", label = null } = {}) {
  const head = h("tr", {}, columns.map(([text, kind]) => h("th", { scope: "col", class: kind }, text)));
  const body = rows.map((row) => h("tr", {}, row.map((cell, place) => h("td", { class: columns[place][1] }, cell))));
  return scroll(h("table", { class: name === "plain" ? "plain" : `plain ${name}`, "aria-label": label }, h("thead", {}, head), h("tbody", {}, body)));
}

/** What may be wider than the page scrolls by itself, by keyboard too. */
const scroll = (element) => h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": element.getAttribute("aria-label") || "table" }, element);

/** A row of buttons of which one is pressed. */
function choice(label, options, chosen, change) {
  const buttons = options.map(([value, text]) =>
    h("button", { type: "button", "aria-pressed": String(value === chosen), onclick: () => {
      buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(options[place][0] === value)));
      change(value);
    } }, text));
  return h("div", { class: "choice", role: "group", "aria-label": label }, buttons);
}

function select(label, options, chosen, change) {
  const list = h("select", { onchange: () => change(list.value) },
    options.map(([value, text]) => h("option", { value, selected: String(value) === String(chosen) }, text)));
  return h("label", {}, label, list);
}

/** Whether everything is drawn at once, as for printing, instead of when it comes into sight. */
let eager = false;

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    watcher.unobserve(entry.target);
    const fill = waiting.get(entry.target);
    waiting.delete(entry.target);
    if (fill) fill();
  }
}, { rootMargin: "500px" });
const waiting = new Map();

/** Calls ``fill`` when ``element`` comes near the window. */
function whenNear(element, fill) {
  if (eager) return fill();
  waiting.set(element, fill);
  watcher.observe(element);
}

/** A card whose content is made when it comes near the window. */
function card(title, content, { id = null, synthetic = false, note = null } = {}) {
  const body = h("div", { class: "waiting" });
  const element = h("section", { class: "card", id },
    h("div", { class: "head" }, h("h2", {}, title), drawn(synthetic)), note ? h("p", { class: "note" }, note) : null, body);
  whenNear(body, () => body.replaceWith(...[content()].flat(Infinity).filter(Boolean)));
  return element;
}
