// One run: scores, accuracy of the classes, confusions, mistakes, where it looks, how it was trained.

const N_MISTAKES = 24, N_LOOKED = 12;

function viewRun(place) {
  const entry = run(place), samples = samplesOf(place);
  const sections = [
    ["Classes", "classes", () => classBars(entry, samples), entry.paper ? `Accuracy of each class beside the paper’s, which is of its own data: ${entry.method}, Table II.` : "Accuracy of each class."],
    ["Confusions", "confusions", () => confusionMatrix(place), "True classes in rows, predicted ones in columns; the darker, the larger the share of its row."],
    ["Surest mistakes", "mistakes", () => mistakes(entry, samples), "The wrong predictions with the highest probability, one of each clip: true class → predicted class."],
    entry.boxes ? ["Where it looks", "regions", () => looked(entry, samples), "Regions that the network zooms into, by rank: 1 solid, 2 dashed, 3 dotted. One face of each clip."] : null,
    entry.attention.length ? ["Attention over frames", "attention", () => attentionClips(place), "Weights of the two attention blocks; the dashed grey line is an even weight. The surest clips, right ones first."] : null,
    entry.opinions.length ? ["Parts of the network", "parts", () => parts(entry), "What each scale or stream says by itself."] : null,
    ["Calibration", "calibration", () => reliability(entry), "Share of right predictions at each confidence; on the line they are equal."],
    entry.history ? ["Training", "training", () => h("div", { class: "pairs" }, curves(entry.history, entry.key, ["losses"]), curves(entry.history, entry.key, ["scores"])), `${plural(entry.history.epochs.length, "epoch")}; the weights of epoch ${entry.history.best_epoch} were kept (dashed line), ${entry.history.keep === "last" ? "the last one, as the recipe says" : "chosen on the validation part"}.`] : null,
  ].filter(Boolean);
  return [
    heading(entry.method ?? entry.experiment, [tag(entry.key), tag(entry.source === "image" ? "images" : "clips"), tag(entry.dataset), drawn(entry.synthetic), stateTag(entry)]),
    h("div", { class: "controls" },
      select("Run", overview.runs.map((other, number) => [number, runName(other)]), place, (value) => { location.hash = `#/run/${value}`; }),
      h("nav", { class: "jump", "aria-label": "Parts of this view" }, sections.map(([title, id]) =>
        h("button", { type: "button", onclick: () => document.getElementById(id).scrollIntoView() }, title)))),
    scoreTiles(entry),
    h("div", { class: "view halves" }, sections.map(([title, id, content, note]) => card(title, content, { id, note, synthetic: entry.synthetic }))),
  ];
}

function scoreTiles(entry) {
  const interval = entry.low === null ? `no interval (${entry.cluster}, five are needed)` : `95 %: ${fixed(entry.low)} to ${fixed(entry.high)}`;
  const wrong = entry.hierarchy;
  return h("div", { class: "tiles" },
    tile("UAR", fixed(entry.uar), `${interval}${entry.few && entry.low !== null ? ` (few clusters: ${entry.cluster})` : ""}; chance ${fixed(1 / entry.n_classes)}`),
    tile("WAR", fixed(entry.war), `of ${plural(entry.n, "sample")}`),
    tile("Macro F1", fixed(entry.macro_f1)),
    wrong ? tile("Upper classes, UAR", fixed(wrong.upper_uar), wrong.inside_upper === null ? "" : `${percent(wrong.inside_upper)} of mistakes stay inside the upper class`) : null,
    tile("Calibration error", fixed(entry.calibration.ece), `expected, ${entry.bins.length} bins`),
    entry.missing ? tile("No prediction", whole(entry.missing), "count as wrong") : null,
    entry.paper ? tile("Paper’s UAR", fixed(overview.runs[entry.place].paper), "of its own data") : null);
}

function classBars(entry, samples) {
  const names = samples.classes, paper = entry.paper;
  return chart(`Accuracy of each class, ${entry.key}`, classHeight(names, 96), (width) => ({
    grid: { left: classRoom(names, width).left, right: 20, top: 30, bottom: 44 }, legend: legend(),
    tooltip: tooltip((list) => {
      const score = entry.scores[list[0].dataIndex];
      return [`${score.label} (${plural(score.n, "sample")})`, ...list.map((one) => `${one.seriesName}: ${fixed(one.value)}`), `precision: ${fixed(score.precision) || "not defined"}`];
    }, "axis", { axisPointer: { type: "shadow" } }),
    xAxis: valueAxis("accuracy", { min: 0, max: 1 }), yAxis: classAxis(names, classRoom(names, width)),
    series: [
      { name: "this run", type: "bar", barMaxWidth: 14, data: entry.scores.map((score) => score.recall), itemStyle: { color: colour("blue") } },
      ...(paper ? [{ name: "paper", type: "scatter", symbol: "diamond", symbolSize: 10, data: paper, itemStyle: { color: colour("surface"), borderColor: colour("orange"), borderWidth: 2 } }] : []),
    ],
  }), () => [[["Class", ""], ["Samples", "num"], ["Accuracy", "num"], ["Precision", "num"], ["F1", "num"], ...(paper ? [["Paper", "num"], ["Difference", "num"]] : [])],
    entry.scores.map((score, row) => [score.label, whole(score.n), fixed(score.recall), fixed(score.precision), fixed(score.f1),
      ...(paper ? [fixed(paper[row]), score.recall === null || paper[row] === null ? "" : signed(score.recall - paper[row])] : [])])]);
}

/** Samples by confidence, the surest first; of each clip one, because frames of a clip are alike. */
function surest(entry, samples, wanted) {
  const seen = new Set();
  return entry.predicted.map((_, sample) => sample).filter((sample) => entry.predicted[sample] >= 0 && wanted(sample))
    .sort((one, other) => topShare(entry, other) - topShare(entry, one))
    .filter((sample) => !seen.has(samples.clips[sample]) && seen.add(samples.clips[sample]));
}

function mistakes(entry, samples) {
  const list = surest(entry, samples, (sample) => entry.predicted[sample] !== samples.labels[sample]).slice(0, N_MISTAKES);
  if (!list.length) return h("p", {}, "There are none.");
  return faces(entry.place, list, { sure: true, lines: (sample) => [`${className(samples, samples.labels[sample])} →`, className(samples, entry.predicted[sample])] });
}

function looked(entry, samples) {
  const shown = (title, wanted) => {
    const list = surest(entry, samples, (sample) => entry.boxes[sample].length && wanted(sample)).slice(0, N_LOOKED);
    return list.length ? [h("h3", {}, title), faces(entry.place, list, { regions: true, sure: true, lines: (sample) => [className(samples, samples.labels[sample]) + (entry.predicted[sample] === samples.labels[sample] ? "" : ` → ${className(samples, entry.predicted[sample])}`)] })] : [];
  };
  const isRightHere = (sample) => entry.predicted[sample] === samples.labels[sample];
  return [...shown("Surest of those that are right", isRightHere), ...shown("Surest of those that are wrong", (sample) => !isRightHere(sample))];
}

function parts(entry) {
  const list = [["all together", entry.uar], ...entry.opinions.map((part) => [part.name, part.uar])];
  return table([["Part", ""], ["UAR", "num"]], list.map(([name, value]) => [name, fixed(value)]), { label: "UAR of the parts" });
}

const CURVES = { losses: "loss", scores: "score on the validation part" };

/** Curves of a training, one chart per kind. */
function curves(history, key, kinds) {
  const names = { score: history.keep === "last" ? "score" : "score (chooses the epoch)", gradient_norm: "gradient norm", margin_met: "share with the margin met" };
  return kinds.map((kind) => {
    const lines = Object.entries(history[kind]).filter(([name, values]) => name !== "gradient_norm" && name !== "units" && values.some((value) => value !== null));
    return chart(`${CURVES[kind]} by epoch, ${key}`, 280, () => ({
      grid: { left: 52, right: 16, top: 52, bottom: 44 }, legend: legend({ type: "scroll" }),
      tooltip: tooltip((list) => [`epoch ${list[0].axisValue}`, ...list.map((one) => `${one.seriesName}: ${fixed(one.value)}`)], "axis"),
      xAxis: { type: "category", data: history.epochs, name: "epoch", nameLocation: "middle", nameGap: 26, nameTextStyle: quiet(), axisLabel: quiet(), axisLine: { lineStyle: { color: colour("line") } } },
      yAxis: valueAxis(CURVES[kind], { nameGap: 36, scale: kind === "losses" }),
      series: lines.map(([name, values], number) => ({ name: names[name] ?? name, type: "line", data: values, connectNulls: true, symbolSize: 5, symbol: ["circle", "rect", "triangle", "diamond"][number % 4],
        lineStyle: { width: 2, type: ["solid", "dashed", "dotted"][number % 3] },
        ...(number ? {} : { markLine: { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: colour("muted"), type: "dashed" }, data: [{ xAxis: history.epochs.indexOf(history.best_epoch) }] } }) })),
    }), () => [[["Epoch", "num"], ...lines.map(([name]) => [names[name] ?? name, "num"])], history.epochs.map((epoch, row) => [epoch, ...lines.map(([, values]) => fixed(values[row], 4))])]);
  });
}

function reliability(entry) {
  const bins = entry.bins.filter((bin) => bin.n);
  return chart(`Reliability, ${entry.key}`, 320, (width) => ({
    grid: { left: 52, right: Math.max(20, width - 720), top: 30, bottom: 44 }, legend: legend(),
    tooltip: tooltip(({ dataIndex }) => [`confidence ${fixed(bins[dataIndex].low, 2)} to ${fixed(bins[dataIndex].high, 2)}`, `right: ${fixed(bins[dataIndex].accuracy)}`, plural(bins[dataIndex].n, "sample")]),
    xAxis: valueAxis("confidence", { min: 0, max: 1 }), yAxis: valueAxis("share that is right", { min: 0, max: 1, nameGap: 36 }),
    series: [{ name: "bin (size: samples)", type: "scatter", data: bins.map((bin) => [bin.confidence, bin.accuracy]), symbolSize: (_, { dataIndex }) => 7 + 20 * Math.sqrt(bins[dataIndex].n / entry.n), itemStyle: { color: colour("blue") },
      markLine: { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: colour("muted"), type: "dashed" }, data: [[{ coord: [0, 0] }, { coord: [1, 1] }]] } }],
  }), () => [[["Confidence from", "num"], ["to", "num"], ["Samples", "num"], ["Mean confidence", "num"], ["Right", "num"]],
    bins.map((bin) => [fixed(bin.low, 2), fixed(bin.high, 2), whole(bin.n), fixed(bin.confidence), fixed(bin.accuracy)])]);
}
