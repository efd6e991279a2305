// The table of selected frames as text: clip,frame,selected_by,inspected_by.

const COLUMNS = ["clip", "frame", "selected_by", "inspected_by"];
const FORMULA = /^'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?$/;

/** A cell; what a spreadsheet takes for a formula gets an apostrophe. */
function cellOf(value) {
  const text = String(value);
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The text of a cell that was written as above. */
const textOf = (cell) => (cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell);

/** The table of rows of four values. */
const tableOf = (rows) => [COLUMNS, ...rows].map((row) => row.map(cellOf).join(",") + "\n").join("");

/** The rows of a table, lists of cells; commas, semicolons or tabs, as its first line has most. */
function cellsOf(text) {
  const first = text.split(/\r?\n/, 1)[0];
  const separator = [",", ";", "\t"].reduce((best, one) => (first.split(one).length > first.split(best).length ? one : best));
  const rows = [[]];
  let cell = "", quoted = false;
  for (let at = 0; at < text.length; at++) {
    const one = text[at];
    if (quoted && one === '"' && text[at + 1] === '"') { cell += '"'; at++; }
    else if (one === '"' && (quoted || cell === "")) quoted = !quoted;
    else if (quoted) cell += one;
    else if (one === separator) { rows.at(-1).push(cell); cell = ""; }
    else if (one === "\n") { rows.at(-1).push(cell.replace(/\r$/, "")); cell = ""; rows.push([]); }
    else cell += one;
  }
  rows.at(-1).push(cell);
  return rows.filter((row) => row.some((value) => value.trim() !== ""));
}

/** Read a selection: frame's index to who selected it, and how many rows are of no frame here. */
function readSelection(text, indexOf) {
  const [head, ...rows] = cellsOf(text.replace(/^\ufeff/, ""));
  const names = (head ?? []).map((name) => name.trim().toLowerCase()).map((name) => (name === "clip_id" ? "clip" : name));
  const missing = ["clip", "frame", "selected_by"].filter((name) => !names.includes(name));
  if (missing.length) throw new Error(`the table has no column ${missing.join(", ")}; expected ${COLUMNS.join(",")}`);
  const selected = {};
  let strange = 0, twice = 0, unsigned = 0;
  for (const row of rows) {
    const value = (name) => (row[names.indexOf(name)] ?? "").trim();
    const index = indexOf(textOf(value("clip")), value("frame"));
    if (index === undefined) strange++;
    else if (!value("selected_by")) unsigned++;
    else if (index in selected) twice++;
    else selected[index] = textOf(value("selected_by"));
  }
  return { selected, strange, twice, unsigned };
}
