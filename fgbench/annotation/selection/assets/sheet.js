// Controls, keys, files.

const TITLES = { select: "Select", inspect: "Inspect" };

function say(text, isWrong = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("wrong", isWrong);
}

function summary() {
  if (state.role === "inspect" && state.selected === null) return "Load the table of the first expert to inspect it.";
  const { asked, decided, accepted } = counts();
  const [yes, no] = state.role === "select" ? ["accepted", "rejected"] : ["confirmed", "struck out"];
  return `${whole(accepted)} ${yes}, ${whole(decided - accepted)} ${no}, ${whole(asked - decided)} to go.`
    + (isKept ? "" : " This browser keeps nothing: write the table before you close the page.");
}

/** What becomes of frames that are not decided. */
function rest() {
  const { asked, decided } = counts();
  if (asked === decided) return "";
  const fate = state.role === "select" ? "not decided, and not in it" : "not inspected, and count as struck out";
  return ` ${plural(asked - decided, "frame")} ${asked - decided === 1 ? "is" : "are"} ${fate}.`;
}

/** Show the decisions everywhere. */
function refresh() {
  paint();
  say(summary());
  byId("part").textContent = `${shown + 1} / ${nParts}`;
  byId("undo").disabled = !undone.length;
  const { asked, decided } = counts();
  byId("done").max = Math.max(asked, 1);
  byId("done").value = decided;
}

function setRole(role) {
  state.role = role;
  undone = [];
  shown = -1; // the buttons have other words
  keep();
  controls();
  go(isAsked(current) ? current : [...frames.keys()].find(isAsked));
  refresh();
}

async function load(event) {
  const [file] = event.target.files;
  if (!file) return;
  try {
    const { selected, strange, twice, unsigned } = readSelection(await file.text(), indexOf);
    if (!Object.keys(selected).length) throw new Error("none of its rows is a frame of this page that someone selected");
    state.selected = selected;
    state.marks.inspect = blank();
    undone = [];
    keep();
    go([...frames.keys()].find(isAsked));
    refresh();
    const left = [[strange, "of no frame of this page"], [twice, "twice"], [unsigned, "without selected_by"]]
      .filter(([count]) => count).map(([count, word]) => `${plural(count, "row")} ${word}`);
    say(`${file.name}: ${plural(Object.keys(selected).length, "frame")} to inspect${left.length ? `; left out: ${left.join(", ")}` : ""}.`);
  } catch (error) {
    say(`${file.name}: ${error.message}`, true);
  }
  event.target.value = "";
}

function write() {
  try {
    const rows = rowsOf();
    if (!rows.length) throw new Error("No frame is accepted yet.");
    const address = URL.createObjectURL(new Blob([tableOf(rows)], { type: "text/csv;charset=utf-8" }));
    const link = h("a", { href: address, download: data.table });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    say(`${data.table}: ${plural(rows.length, "row")} written.${rest()}`);
  } catch (error) {
    say(error.message, true);
  }
}

function controls() {
  const role = (name) => h("label", { class: "role" },
    h("input", { type: "radio", name: "role", value: name, checked: state.role === name, onchange: () => setRole(name) }), TITLES[name]);
  const named = h("input", {
    id: "expert", type: "text", maxlength: 100, autocomplete: "off", spellcheck: "false", value: state.names[state.role],
    oninput: (event) => { state.names[state.role] = event.target.value; keep(); },
  });
  byId("controls").replaceChildren(
    h("fieldset", { class: "roles" }, h("legend", { class: "sr" }, "Role"), role("select"), role("inspect")),
    h("label", { class: "field", for: "expert" }, "Your name or number ", named),
    ...(state.role === "inspect" ? [h("label", { class: "field file" }, "Table of the first expert ", h("input", { id: "file", type: "file", accept: ".csv,text/csv", onchange: load }))] : []));
}

const jump = (part) => go(firstOf[Math.min(Math.max(part, 0), nParts - 1) * CLIPS_SHOWN]);
const stepBack = () => { const index = undo(); if (index !== null) { controls(); go(index); refresh(); } };
const openFrame = () => {
  const all = [...frames.keys()].filter((index) => isAsked(index) && markOf(index) === OPEN);
  if (all.length) { go(all.find((index) => index > current) ?? all[0]); refresh(); } else say("Every frame is decided.");
};

function tools() {
  const button = (text, action, attributes = {}) => h("button", { type: "button", onclick: action, ...attributes }, text);
  byId("tools").replaceChildren(
    h("span", { class: "group" },
      button("◂", () => { jump(shown - 1); refresh(); }, { "aria-label": "earlier clips" }),
      h("span", { id: "part", "aria-label": "part of the page" }),
      button("▸", () => { jump(shown + 1); refresh(); }, { "aria-label": "later clips" })),
    button("Undo", stepBack, { id: "undo" }),
    button("Next open", openFrame, { id: "open" }),
    button(`Write ${data.table}`, write, { id: "write", class: "main" }),
    h("progress", { id: "done", "aria-label": "frames decided" }));
}

const marked = (mark) => { decide([current], mark); go(beside(1)); };
const KEYS = {
  ArrowLeft: () => go(beside(-1)),
  ArrowRight: () => go(beside(1)),
  ArrowUp: () => go(clipBeside(-1, frames[current].within)),
  ArrowDown: () => go(clipBeside(1, frames[current].within)),
  n: () => go(clipBeside(1, 0)),
  p: () => go(clipBeside(-1, 0)),
  a: () => marked(ACCEPTED),
  r: () => marked(REJECTED),
  u: stepBack,
};

document.addEventListener("keydown", (event) => {
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isTyping = event.target.closest("input, select, textarea, summary");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  // A button in focus takes the space by itself.
  const isFree = name === " " && !event.target.closest("button, a");
  if (!(name in KEYS) && !isFree) return;
  event.preventDefault();
  if (isFree) { go(current); toggle(); } else KEYS[name]();
  refresh();
});

addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  readKept();
  undone = [];
  shown = -1;
  controls();
  show();
  refresh();
});

readKept();
current = Math.max([...frames.keys()].findIndex((index) => isAsked(index) && markOf(index) === OPEN), 0);
controls();
tools();
show();
refresh();
