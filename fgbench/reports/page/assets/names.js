// Long names in charts: broken into lines by the width of their letters, in any script.

const ruler = document.createElement("canvas").getContext("2d");
const graphemes = "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;
const lettersOf = (text) => (graphemes ? Array.from(graphemes.segment(text), ({ segment }) => segment) : Array.from(text));

function textWidth(text, size) {
  ruler.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return ruler.measureText(text).width;
}

/** The beginning of a text that is at most ``room`` px wide; at least a letter. */
function fitting(text, room, size) {
  const letters = lettersOf(text);
  let count = letters.length;
  while (count > 1 && textWidth(letters.slice(0, count).join(""), size) > room) count -= 1;
  return letters.slice(0, count).join("");
}

/** Lines of a name, at most ``room`` px wide in letters of ``size`` px, broken after spaces and signs where there
 * are some. The last of ``most`` lines ends in "…" if the name is longer still.
 */
function nameLines(name, room, size, most) {
  const lines = [];
  let rest = name;
  while (textWidth(rest, size) > room && lines.length < most - 1) {
    const whole = fitting(rest, room, size);
    const [word] = whole.match(/^.*[\s\-_/.]/s) ?? [whole];
    const line = word.length * 2 > whole.length ? word : whole;
    lines.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  const isLonger = textWidth(rest, size) > room;
  return [...lines, isLonger ? `${fitting(rest, room - textWidth("…", size), size)}…` : rest];
}

/** Room that names of classes take on the left of a chart of ``width`` px: their lines, px from the edge, px a row. */
function classRoom(names, width) {
  const lines = names.map((name) => nameLines(name, Math.max(88, Math.min(220, .42 * width)), 11, 4));
  const widest = Math.max(0, ...lines.flat().map((line) => textWidth(line, 11)));
  const most = Math.max(1, ...lines.map((list) => list.length));
  return { lines, left: Math.max(104, Math.ceil(widest) + 14), row: Math.max(21, 13 * most + 8) };
}

/** Height of a chart of bars of classes, by its width. */
const classHeight = (names, around) => (width) => around + classRoom(names, width).row * names.length;
