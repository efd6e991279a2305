// The data in the page: read when they are first asked for.

const read = new Map();

/** Data of an element by its id, parsed once. */
function load(id) {
  if (!read.has(id)) {
    const element = document.getElementById(id);
    read.set(id, JSON.parse(element.textContent));
    element.remove();
  }
  return read.get(id);
}

const overview = load("overview");
const group = new Map(overview.tree.map(([leaf, upper]) => [leaf, upper]));
const COLOURS = ["orange", "purple", "amber", "sky", "blue", "green"];
/** CSS variable of the colour of an upper class. */
const groupColour = (upper) => `var(--${COLOURS[overview.upper.indexOf(upper)] ?? "line"})`;

/** A run: its scores, and what it predicted. */
const run = (place) => ({ ...overview.runs[place], ...load(`run-${place}`), place });
const samplesOf = (place) => load(`samples-${load(`run-${place}`).samples}`);
const runName = (entry) => (entry.method ? `${entry.method} (${stated(entry)})` : stated(entry));

const sheets = new Map();

/** Address of a sheet of pictures, decoded when first asked for. */
function sheetAddress(number) {
  if (!sheets.has(number)) {
    const element = document.getElementById(`sheet-${number}`);
    const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
    element.remove();
    sheets.set(number, URL.createObjectURL(new Blob([bytes], { type: "image/webp" })));
  }
  return sheets.get(number);
}

/** A picture from a sheet, loaded when it comes near the window. */
function picture(sheet, cell, label) {
  const element = h("span", { class: cell < 0 ? "pic none" : "pic", role: "img", "aria-label": label, title: label });
  if (cell < 0) return element;
  const count = overview.sheets[sheet][1];
  const across = Math.min(overview.columns, count), down = Math.ceil(count / across);
  const share = (place, places) => `${places > 1 ? (100 * place) / (places - 1) : 0}%`;
  element.style.backgroundSize = `${100 * across}% ${100 * down}%`;
  element.style.backgroundPosition = `${share(cell % across, across)} ${share(Math.floor(cell / across), down)}`;
  whenNear(element, () => { element.style.backgroundImage = `url("${sheetAddress(sheet)}")`; });
  return element;
}

/** Whether a run has each sample right. */
const isRight = (samples, predicted) => samples.labels.map((label, place) => label === predicted[place]);
const topShare = (entry, place) => (entry.predicted[place] < 0 ? null : entry.top_share[place * entry.n_top + confidencePlace(entry, place)] / 1e4);
/** Where the predicted class stands among the most probable ones; the first where it is not among them. */
function confidencePlace(entry, place) {
  const begin = place * entry.n_top;
  const found = entry.top.slice(begin, begin + entry.n_top).indexOf(entry.predicted[place]);
  return found < 0 ? 0 : found;
}
