// What was decided, kept by the browser under the id of the page.

const data = JSON.parse(byId("data").textContent);
const KEY = `fgbench-selection:${data.id}`;
const OPEN = ".", ACCEPTED = "a", REJECTED = "r";

/** All frames in order: clip's number, number within the clip, and what is known of the frame. */
const frames = data.clips.flatMap((clip, number) =>
  clip.frames.map(([frame, time, sharpness, quality], within) => ({ clip, number, within, frame, time, sharpness, quality })));
const firstOf = [];
frames.forEach(({ number }, index) => { firstOf[number] ??= index; });
const indices = new Map(frames.map(({ clip, frame }, index) => [JSON.stringify([clip.id, String(frame)]), index]));
const indexOf = (clip, frame) => indices.get(JSON.stringify([clip, /^\d+$/.test(frame) ? String(Number(frame)) : frame]));

const blank = () => Array(frames.length).fill(OPEN);
let state = { role: "select", names: { select: "", inspect: "" }, marks: { select: blank(), inspect: blank() }, selected: null };
let undone = [];
let isKept = true;

function readKept() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (!kept) return;
    // Other pages of the disk may write there: what is not of this page is left out.
    const text = (value) => (typeof value === "string" ? value : "");
    const marks = (given) => (/^[.ar]*$/.test(text(given)) && given?.length === frames.length ? [...given] : blank());
    const selected = Object.entries(kept.selected ?? {}).filter(([index, name]) => index in frames && text(name));
    state = {
      role: kept.role === "inspect" ? "inspect" : "select",
      names: { select: text(kept.names?.select), inspect: text(kept.names?.inspect) },
      marks: { select: marks(kept.marks?.select), inspect: marks(kept.marks?.inspect) },
      selected: selected.length ? Object.fromEntries(selected) : null,
    };
  } catch {
    isKept = false;
  }
}

function keep() {
  try {
    const marks = { select: state.marks.select.join(""), inspect: state.marks.inspect.join("") };
    localStorage.setItem(KEY, JSON.stringify({ ...state, marks }));
    isKept = true;
  } catch {
    isKept = false;
  }
}

/** Whether a frame can be decided on: of an inspection, those that the first expert selected. */
const isAsked = (index) => state.role === "select" || (state.selected !== null && index in state.selected);
const markOf = (index) => state.marks[state.role][index];

/** Decide on frames; one step of undo. */
function decide(list, mark) {
  const changed = list.filter((index) => isAsked(index) && markOf(index) !== mark);
  if (!changed.length) return;
  undone.push(changed.map((index) => [state.role, index, markOf(index)]));
  for (const index of changed) state.marks[state.role][index] = mark;
  keep();
}

/** Take the last decision back; the first frame that it was on. */
function undo() {
  const last = undone.pop();
  if (!last) return null;
  for (const [role, index, mark] of last) state.marks[role][index] = mark;
  state.role = last[0][0];
  keep();
  return last[0][1];
}

/** Numbers of frames: asked, decided, accepted. */
function counts() {
  let asked = 0, decided = 0, accepted = 0;
  for (let index = 0; index < frames.length; index++) {
    if (!isAsked(index)) continue;
    asked++;
    decided += markOf(index) !== OPEN;
    accepted += markOf(index) === ACCEPTED;
  }
  return { asked, decided, accepted };
}

/** Rows of the table of the role; throws what is missing for it. */
function rowsOf() {
  const name = state.names[state.role].trim();
  if (!name) throw new Error("Give your name or number first.");
  if (FORMULA.test(name)) throw new Error(`The name ${name} begins like a formula; expected a name or a number.`);
  const row = (index, ...names) => [frames[index].clip.id, frames[index].frame, ...names];
  if (state.role === "select") {
    return frames.map((_, index) => index).filter((index) => markOf(index) === ACCEPTED).map((index) => row(index, name, ""));
  }
  if (state.selected === null) throw new Error("Load the table of the first expert first.");
  const same = (one) => one.normalize("NFKC").trim().toLowerCase();
  if (Object.values(state.selected).some((one) => same(one) === same(name))) {
    throw new Error(`${name} selected these frames; another expert has to inspect them.`);
  }
  return Object.keys(state.selected).map(Number).sort((one, other) => one - other)
    .map((index) => row(index, state.selected[index], markOf(index) === ACCEPTED ? name : ""));
}
