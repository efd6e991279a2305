// Faces of samples: lists of them, and all that is known of one.

const BATCH = 48;
const REGION_LINES = [["orange", ""], ["green", "9 6"], ["amber", "2 5"]];

/** A sample as a button that opens its details. */
function face(runPlace, sample, { lines = null, regions = false, sure = false } = {}) {
  const samples = samplesOf(runPlace), entry = load(`run-${runPlace}`);
  const id = samples.ids[sample];
  const shown = picture(samples.sheets[sample], samples.cells[sample], id);
  if (regions && entry.boxes) shown.append(boxes(entry.boxes[sample]));
  if (sure && entry.predicted[sample] >= 0) shown.append(h("span", { class: "sure", title: "probability of the predicted class" }, fixed(topShare(entry, sample), 2)));
  return h("button", { class: "face", type: "button", "data-sample": id, onclick: () => openDetail(runPlace, sample) },
    shown, (lines ?? []).map((line) => h("b", { title: line }, line)), h("span", { class: "id", title: id }, id));
}

/** Many faces, a batch at a time. */
function faces(runPlace, list, options = {}) {
  const items = h("ul", { class: options.regions ? "faces large" : "faces" });
  const more = h("button", { class: "button", type: "button", onclick: () => add() });
  let shown = 0;
  function add() {
    const next = list.slice(shown, shown + BATCH);
    items.append(...next.map((sample) =>
      h("li", {}, face(runPlace, sample, { ...options, lines: options.lines ? options.lines(sample) : null }))));
    shown += next.length;
    more.textContent = `Show ${Math.min(BATCH, list.length - shown)} more of ${whole(list.length - shown)}`;
    more.classList.toggle("hidden", shown >= list.length);
  }
  add();
  return h("div", { style: { display: "grid", gap: "10px" } }, items, more);
}

/** Regions on a face of 224 px: number, colour and line tell their rank. */
function boxes(list) {
  const drawing = s("svg", { viewBox: "0 0 224 224", "aria-hidden": "true" });
  list.forEach(([x0, y0, x1, y1], rank) => {
    const [name, dashes] = REGION_LINES[rank % REGION_LINES.length];
    const left = Math.max(2, x0), top = Math.max(2, y0);
    // Numbers stand in different corners, because regions often have edges in common.
    const x = rank % 3 === 1 ? Math.min(222, x1) - 22 : left, y = rank % 3 === 2 ? Math.min(222, y1) - 24 : top;
    drawing.append(
      s("rect", { x: left, y: top, width: Math.min(222, x1) - left, height: Math.min(222, y1) - top, fill: "none", stroke: "#fff", "stroke-width": 6, opacity: .55 }),
      s("rect", { x: left, y: top, width: Math.min(222, x1) - left, height: Math.min(222, y1) - top, fill: "none", stroke: `var(--${name})`, "stroke-width": 3.5, "stroke-dasharray": dashes }),
      s("rect", { x, y, width: 22, height: 24, fill: `var(--${name})` }),
      s("text", { x: x + 11, y: y + 18, "text-anchor": "middle", "font-size": 18, "font-weight": 700, fill: "#fff", stroke: "#000", "stroke-width": .6 }, String(rank + 1)));
  });
  return drawing;
}

const className = (samples, number) => (number < 0 ? "no prediction" : samples.classes[number]);

function openDetail(runPlace, sample) {
  const samples = samplesOf(runPlace), entry = run(runPlace);
  const shown = picture(samples.sheets[sample], samples.cells[sample], samples.ids[sample]);
  if (entry.boxes) shown.append(boxes(entry.boxes[sample]));
  const truth = samples.labels[sample];
  const facts = [["True class", className(samples, truth)], ["Predicted", className(samples, entry.predicted[sample])],
    ["Clip", samples.clips[sample]], ["Person", samples.subjects[sample] ?? "not known"]];
  const begin = sample * entry.n_top;
  const bars = entry.predicted[sample] < 0 ? h("p", { class: "note" }, "No prediction, for example for want of a usable face; it counts as wrong.")
    : h("div", { class: "probability" }, entry.top.slice(begin, begin + entry.n_top).map((number, rank) => {
      const share = entry.top_share[begin + rank] / 1e4;
      return [h("span", { class: number === truth ? "right" : null }, className(samples, number) + (number === truth ? " (true)" : "")),
        h("span", {}, h("i", { style: { "--share": String(share) } })), h("span", { class: "num" }, fixed(share))];
    }));
  const others = overview.runs.map((other, place) => [other, place])
    .filter(([, place]) => load(`run-${place}`).samples === entry.samples)
    .map(([other, place]) => [runName(other), className(samples, load(`run-${place}`).predicted[sample])]);
  const parts = entry.opinions.map((part) => [part.name, className(samples, part.predicted[sample])]);
  const dialog = document.getElementById("detail");
  const close = h("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(
    h("div", { class: "dialog-head" }, h("div", {}, h("h2", { id: "detail-title" }, samples.ids[sample]), h("p", { class: "note" }, runName(entry), " ", drawn(entry.synthetic))), close),
    h("div", { class: "detail" },
      h("div", {}, shown, definitions(facts)),
      h("div", {}, h("h3", {}, "Most probable classes"), bars,
        parts.length ? [h("h3", {}, "Parts of the network"), table([["Part", ""], ["Predicts", ""]], parts, { label: "Parts of the network" })] : null,
        others.length > 1 ? [h("h3", {}, "All runs on this sample"), table([["Run", ""], ["Predicts", ""]], others, { label: "All runs" })] : null)));
  dialog.showModal();
}

const definitions = (facts) => h("dl", { class: "facts" }, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
