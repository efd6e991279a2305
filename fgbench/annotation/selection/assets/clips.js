// The clips of one part of the page, with their frames, and which frame is in hand.

const CLIPS_SHOWN = 10;
const WORDS = { select: { a: "accepted", r: "rejected", ".": "not decided" }, inspect: { a: "confirmed", r: "struck out", ".": "not inspected" } };
const ACTIONS = { select: { a: "Accept", r: "Reject" }, inspect: { a: "Confirm", r: "Strike out" } };
const SIGNS = { a: "✓", r: "✗", ".": "" };
let current = 0;
let shown = -1;
let tiles = new Map();

const partOf = (index) => Math.floor(frames[index].number / CLIPS_SHOWN);
const nParts = Math.ceil(data.clips.length / CLIPS_SHOWN);
const away = ({ clip, frame }) => {
  const offset = frame - clip.key;
  return offset === 0 ? (clip.settled ? "key frame" : "middle") : `${offset < 0 ? "−" : "+"}${Math.abs(offset)}`;
};
const fileOf = (clip, frame) => (clip.files[frame] ? `${clip.folder}/${clip.files[frame]}` : null);

function described(index) {
  const one = frames[index];
  const known = [
    `frame ${one.frame}`, away(one), one.sharpness === null ? null : `sharpness ${one.sharpness.toFixed(0)}`,
    one.quality === null ? null : `quality ${one.quality.toFixed(2)}`,
  ];
  const status = isAsked(index) ? WORDS[state.role][markOf(index)] : "not selected";
  return `${one.clip.id}, ${one.clip.label}: ${known.filter(Boolean).join(", ")}: ${status}`;
}

function neighbour(clip, frame, word) {
  const file = fileOf(clip, frame);
  if (!file) return h("figure", { class: "neighbour none" }, h("figcaption", {}, "–"));
  return h("figure", { class: "neighbour" },
    h("img", { src: file, alt: `frame ${frame}, ${word}`, loading: "lazy", width: 96, height: 96 }), h("figcaption", {}, frame));
}

function tileOf(index) {
  const one = frames[index], { clip, frame } = one;
  const sharpest = Math.max(...clip.frames.map(([, , sharpness]) => sharpness ?? -1));
  const face = h("button", { type: "button", class: "face", tabindex: -1, "data-index": index, onclick: () => { go(index); toggle(); }, onfocus: () => hold(index) },
    h("img", { src: fileOf(clip, frame), alt: "", loading: "lazy", width: 224, height: 224 }), h("span", { class: "sign", "aria-hidden": "true" }), frame === clip.key ? h("span", { class: "at" }, away(one)) : null);
  const choice = (mark, word, sign) => h("button", {
    type: "button", class: `choice ${mark}`, tabindex: -1, onclick: () => { decide([index], mark); go(index); refresh(); },
  }, h("span", { "aria-hidden": "true" }, sign), ` ${word}`);
  const tile = h("li", { class: "tile", "data-frame": frame },
    face,
    h("div", { class: "facts" }, h("b", {}, frame), frame === clip.key ? null : h("span", {}, away(one)),
      one.sharpness === null ? null : h("span", { class: "sharp", title: "sharpness of the face" }, `◊ ${one.sharpness.toFixed(0)}`, one.sharpness === sharpest ? " sharpest" : "")),
    h("div", { class: "around" }, neighbour(clip, frame - 1, "before"), neighbour(clip, frame + 1, "after")),
    h("div", { class: "choices" }, choice(ACCEPTED, ACTIONS[state.role].a, "✓"), choice(REJECTED, ACTIONS[state.role].r, "✗")));
  tiles.set(index, { tile, face });
  return tile;
}

function cardOf(number) {
  const clip = data.clips[number], first = firstOf[number];
  const all = clip.frames.map((_, within) => first + within);
  const every = (mark, word) => h("button", { type: "button", class: "all", onclick: () => { decide(all, mark); go(first); refresh(); } }, word);
  return h("section", { class: "clip", "aria-labelledby": `clip-${number}` },
    h("div", { class: "head" },
      h("h2", { id: `clip-${number}` }, h("span", { class: "label" }, clip.label), " ", h("span", { class: "name" }, clip.id)),
      h("span", { class: "key" }, clip.settled ? `key frame ${clip.key}` : `no key frame; middle ${clip.key}`),
      h("span", { class: "both" }, every(ACCEPTED, `${ACTIONS[state.role].a} all`), every(REJECTED, `${ACTIONS[state.role].r} all`))),
    h("ul", { class: "frames" }, all.map(tileOf)));
}

/** Show the part of the page with the frame in hand. */
function show() {
  const part = partOf(current);
  if (part !== shown) {
    shown = part;
    tiles = new Map();
    const numbers = data.clips.map((_, number) => number).slice(part * CLIPS_SHOWN, (part + 1) * CLIPS_SHOWN);
    byId("clips").replaceChildren(...numbers.map(cardOf));
    scrollTo(0, 0);
  }
  paint();
}

/** Set what depends on the decisions. */
function paint() {
  for (const [index, { tile, face }] of tiles) {
    const mark = isAsked(index) ? markOf(index) : "none";
    tile.dataset.mark = mark === OPEN ? "open" : mark;
    tile.classList.toggle("current", index === current);
    face.setAttribute("aria-label", described(index));
    face.tabIndex = index === current ? 0 : -1;
    face.querySelector(".sign").textContent = SIGNS[mark] ?? "";
    for (const button of tile.querySelectorAll(".choice")) button.disabled = mark === "none";
  }
}

function hold(index) {
  if (index === current) return;
  current = index;
  paint();
}

/** Take a frame in hand, and give it the focus. */
function go(index) {
  if (index === undefined || index === null) return;
  current = Math.min(Math.max(index, 0), frames.length - 1);
  show();
  const { face, tile } = tiles.get(current);
  face.focus({ preventScroll: true });
  tile.scrollIntoView({ block: "nearest" });
}

/** The nearest frame in a direction that can be decided on; the same if there is none. */
function beside(step) {
  for (let index = current + step; index >= 0 && index < frames.length; index += step) if (isAsked(index)) return index;
  return current;
}

/** The frame of the next clip in a direction with the same number in it, or its first. */
function clipBeside(step, within) {
  for (let number = frames[current].number + step; number >= 0 && number < data.clips.length; number += step) {
    const all = data.clips[number].frames.map((_, at) => firstOf[number] + at).filter(isAsked);
    if (all.length) return all.reduce((best, one) =>
      (Math.abs(frames[one].within - within) < Math.abs(frames[best].within - within) ? one : best));
  }
  return current;
}

const toggle = () => { decide([current], markOf(current) === ACCEPTED ? REJECTED : ACCEPTED); refresh(); };
