// The first view: what there is, and which run is best.

function viewOverview() {
  const { totals, runs } = overview;
  return [
    heading("Overview", [tag(overview.dataset), drawn(overview.synthetic)]),
    h("div", { class: "tiles" },
      tile("Images", whole(totals.Image), overview.copies ? `and ${whole(overview.copies)} augmented copies` : ""),
      tile("Clips", whole(totals.Video)), tile("Classes", whole(overview.n_classes)),
      tile("Runs", whole(runs.length), overview.units.length ? `and ${whole(overview.units.length)} of action units` : ""),
      ...bestTiles(runs)),
    overview.readings.map((sentence) => h("p", { class: "note" }, sentence)),
    runs.length ? overview.boards.map(leaderboard) : overview.units.length ? null : h("section", { class: "card" }, h("h2", {}, "No run yet"),
      h("p", {}, "Run for example ", h("code", {}, "fgbench baseline lbp-svm FOLDER"), " with this work folder, then make this report again.")),
    overview.units.length ? unitCards() : null,
    overview.faults.length ? card("Runs that are not shown", () => table([["Run", ""], ["Why", "wide"]], overview.faults)) : null,
  ];
}

function heading(title, marks = []) {
  return h("div", { class: "head" }, h("h1", { tabindex: "-1" }, title), marks);
}

function bestTiles(runs) {
  const sources = [["image", "Best UAR, images"], ["video", "Best UAR, clips"]];
  return sources.map(([source, label]) => {
    const found = runs.filter((entry) => entry.source === source && !entry.elsewhere && entry.uar !== null && stateKind(entry) !== "old labels");
    if (!found.length) return null;
    const best = found.reduce((one, other) => (other.uar > one.uar ? other : one));
    return tile(label, fixed(best.uar), best.method ?? best.key);
  }).filter(Boolean);
}

/** The runs of a board, which compare, and what is said of them together. */
function leaderboard(board) {
  const list = board.runs.map((place) => [overview.runs[place], place]);
  const [first] = list[0];
  const title = `Leaderboard: ${whole(first.n)} test ${first.source === "image" ? "images" : "clips"} of ${first.dataset}${first.elsewhere ? ", trained on other data" : ""}`;
  const names = list.map(([entry]) => stated(entry));
  const note = `Mean accuracy of the classes (UAR)${first.low === null ? ". " : `; bars are 95 % intervals from leaving out ${first.cluster} one at a time, the trained network held fixed. `}${first.few ?? ""} ${list.some(([entry]) => entry.paper !== null) ? "The paper's numbers are of its own data: they stand here for orientation, not for comparison. " : ""}${[...board.notes, ...list.flatMap(([entry]) => entry.fairness)].join(" ")}`;
  return card(title, () => [
    intervals(list, names, title),
    table([["Rank", "num"], ["Run", "wide"], ["UAR", "num"], ["95 % from", "num"], ["to", "num"], ["WAR", "num"], ["Macro F1", "num"], ["No prediction", "num"], ["Paper’s UAR", "num"]],
      list.map(([entry, place], rank) => [stateKind(entry) === "old labels" ? "" : rank + 1, h("div", {}, h("a", { href: `#/run/${place}` }, entry.key), " ", stateTag(entry), h("div", { class: "note" }, entry.method ?? "")), fixed(entry.uar), fixed(entry.low), fixed(entry.high), fixed(entry.war), fixed(entry.macro_f1), whole(entry.missing), fixed(entry.paper)]), { label: title }),
  ], { synthetic: list.some(([entry]) => entry.synthetic), note });
}

/** Names inside a narrow chart, each above its marks, on the wider side of a line at ``at`` of ``room`` px. */
function aboveMarks(at, room) {
  const isRight = at < room / 2;
  return { room: isRight ? room - at - 10 : at - 10, label: { inside: true, verticalAlign: "bottom", margin: 0, padding: [0, 0, 9, isRight ? at + 6 : 2] } };
}

/** Mark of the legend for what the chart draws as a dashed line. */
const DASHES = "path://M0,4h5v2h-5z M8,4h5v2h-5z M16,4h5v2h-5z";

function intervals(list, names, title) {
  const byChance = 1 / list[0][0].n_classes;
  const hasPaper = list.some(([entry]) => entry.paper !== null);
  const top = Math.max(byChance, ...list.flatMap(([entry]) => [entry.uar, entry.high, entry.paper]).filter((value) => value !== null));
  const most = Math.min(1, Math.ceil(top * 10 + .5) / 10);
  const laid = (width) => {
    const narrow = innerWidth < 640;
    const { room, label } = narrow ? aboveMarks((byChance / most) * (width - 32), width - 32) : { room: 196, label: {} };
    const lines = names.map((name) => nameLines(name, room, 12, 4));
    const tallest = Math.max(...lines.map((list) => list.length));
    return { narrow, label, lines, row: narrow ? 31 + 15 * tallest : Math.max(30, 15 * tallest + 8) };
  };
  return chart(title, (width) => 76 + laid(width).row * list.length, (width) => {
    const { narrow, label, lines } = laid(width);
    const ends = list.flatMap(([entry], place) => (entry.low === null ? [] : [[{ coord: [entry.low, place] }, { coord: [entry.high, place] }]]));
    return {
      grid: { left: narrow ? 8 : 210, right: 24, top: 30, bottom: 44 },
      legend: legend({ selectedMode: false, data: ["this data set", ...(hasPaper ? ["paper"] : []), { name: "chance", icon: DASHES }] }),
      tooltip: tooltip(({ seriesName, value }) => [names[value[1]], `${seriesName}: ${fixed(value[0])}`]),
      xAxis: valueAxis("mean accuracy of the classes (UAR)", { min: 0, max: most }),
      yAxis: classAxis(names, { lines }, { z: 10, axisLabel: { ...words(), fontSize: 12, lineHeight: 15, interval: 0, formatter: (_, place) => lines[place].join("\n"), ...label } }),
      series: [
        { name: "this data set", type: "scatter", symbolSize: 11, data: list.map(([entry], place) => [entry.uar, place]), itemStyle: { color: colour("blue") }, z: 4,
          markLine: { symbol: ["none", "none"], silent: true, label: { show: false }, lineStyle: { color: colour("blue"), width: 3, type: "solid" }, data: ends } },
        ...(hasPaper ? [{ name: "paper", type: "scatter", symbol: "diamond", symbolSize: 12, data: list.map(([entry], place) => [entry.paper, place]).filter(([value]) => value !== null), itemStyle: { color: "transparent", borderColor: colour("orange"), borderWidth: 2 }, z: 3 }] : []),
        { name: "chance", type: "scatter", data: [], itemStyle: { color: colour("muted") }, symbol: "rect", symbolSize: 8,
          markLine: { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: colour("muted"), type: "dashed" }, data: [{ xAxis: byChance }] } },
      ],
    };
  }, () => [[["Run", ""], ["UAR", "num"], ["95 % from", "num"], ["to", "num"], ["Paper", "num"]],
    list.map(([entry], place) => [names[place], fixed(entry.uar), fixed(entry.low), fixed(entry.high), fixed(entry.paper)])]);
}

function unitCards() {
  return overview.units.map((entry, place) => card(`Action units: ${stated(entry)}${entry.labels}`, () => {
    const { scores, history } = load(`units-${place}`);
    const names = scores.map((score) => score.name.toUpperCase());
    const bars = chart(`F1 of each action unit, ${entry.key}`, 90 + 22 * names.length, (width) => ({
      grid: { left: 60, right: 20, top: 30, bottom: 44 }, legend: legend(),
      tooltip: tooltip((list) => [list[0].axisValue, ...list.map((one) => `${one.seriesName}: ${fixed(one.value)}`)], "axis"),
      xAxis: valueAxis("F1", { min: 0, max: 1 }), yAxis: classAxis(names, classRoom(names, width)),
      series: [{ name: "F1", type: "bar", data: scores.map((score) => score.f1), barMaxWidth: 14, itemStyle: { color: colour("blue") } },
        { name: "always “present”", type: "scatter", symbol: "diamond", symbolSize: 9, data: scores.map((score) => score.f1_always), itemStyle: { color: colour("surface"), borderColor: colour("orange"), borderWidth: 2 } }],
    }), () => [[["Unit", ""], ["Present", "num"], ["Absent", "num"], ["Precision", "num"], ["Recall", "num"], ["F1", "num"], ["Always “present”", "num"]],
      scores.map((score) => [score.name.toUpperCase(), score.n_positive, score.n_negative, fixed(score.precision), fixed(score.recall), fixed(score.f1), fixed(score.f1_always)])]);
    return h("div", { class: "pairs" }, bars, history ? h("div", { class: "view" }, curves(history, entry.key, ["losses", "scores"])) : null);
  }, { synthetic: entry.synthetic }));
}
