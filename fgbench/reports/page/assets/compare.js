// Comparison of runs: two of them sample by sample, and all of them class by class.

function viewCompare(one, other) {
  const { runs } = overview;
  if (runs.length < 2) return [heading("Compare"), h("section", { class: "card" }, h("p", {}, "There are fewer than two runs."))];
  const first = runs[one] ? one : bestPair()[0], second = runs[other] && other !== first ? other : (first === bestPair()[1] ? bestPair()[0] : bestPair()[1]);
  const go = (left, right) => { location.hash = `#/compare/${left}/${right}`; };
  const options = runs.map((entry, place) => [place, runName(entry)]);
  const a = run(first), b = run(second);
  const synthetic = a.synthetic || b.synthetic;
  return [
    heading("Compare", [drawn(synthetic)]),
    h("div", { class: "controls" }, select("First", options, first, (value) => go(value, second)), select("Second", options, second, (value) => go(first, value)),
      h("button", { class: "button", type: "button", onclick: () => go(second, first) }, "Swap")),
    card("Difference", () => paired(a, b), { synthetic }),
    card("Classes", () => differences(a, b), { synthetic, note: `Accuracy of the first run minus that of the second: ${a.key} − ${b.key}.` }),
    a.samples === b.samples ? card("Samples that only one has right", () => apart(a, b), { synthetic }) : null,
    card("All runs, class by class", () => allRuns(), { synthetic: runs.some((entry) => entry.synthetic), note: "Accuracy of each class; the darker, the higher. Blank: no test sample of the class." }),
  ];
}

/** Two runs that compare, the best ones where there are several. */
function bestPair() {
  const rank = (place) => (stateKind(overview.runs[place]) === "old labels" ? -1 : overview.runs[place].uar ?? 0);
  const order = overview.runs.map((_, place) => place).sort((one, other) => rank(other) - rank(one));
  for (const first of order) for (const second of order) {
    if (first !== second && load(`run-${first}`).samples === load(`run-${second}`).samples) return [first, second];
  }
  return order.slice(0, 2);
}

function paired(a, b) {
  const found = load("pairs").find((pair) => (pair.first === a.place && pair.second === b.place) || (pair.first === b.place && pair.second === a.place));
  const names = table([["", ""], ["Run", "wide"], ["UAR", "num"], ["95 % from", "num"], ["to", "num"], ["WAR", "num"], ["Macro F1", "num"]],
    [["First", a], ["Second", b]].map(([label, entry]) => [label, h("a", { href: `#/run/${entry.place}` }, runName(entry)), fixed(entry.uar), fixed(entry.low), fixed(entry.high), fixed(entry.war), fixed(entry.macro_f1)]), { label: "Both runs" });
  if (!found && a.samples === b.samples) return [names, h("p", {}, `This pair is not compared here: where there are many runs, each is compared with the ${overview.compared_with} best and with the next of its experiment. For this pair: `, h("code", {}, `fgbench compare ${a.key} ${b.key}`))];
  if (!found) return [names, h("p", {}, "They were tested on different samples: there is no paired comparison, and the intervals above say how far each is sure.")];
  const turned = found.first !== a.place;
  const difference = turned ? -found.difference : found.difference;
  const [low, high] = turned ? [found.high === null ? null : -found.high, found.low === null ? null : -found.low] : [found.low, found.high];
  const [onlyA, onlyB] = turned ? [found.only_second, found.only_first] : [found.only_first, found.only_second];
  return [names,
    h("div", { class: "tiles" },
      tile("Difference of the UAR", signed(difference), low === null ? "no interval" : `95 %: ${signed(low)} to ${signed(high)}`),
      tile("Both right", whole(found.both)), tile("Only first right", whole(onlyA)), tile("Only second right", whole(onlyB)), tile("Neither right", whole(found.neither)),
      tile("p, permutation", chance(found.p_permutation), "of the UAR, whole clusters swapped"), tile("p, McNemar", chance(found.p_mcnemar), "of the samples right, whole clusters swapped")),
    h("p", { class: "note" }, `Paired: the same clusters (${a.cluster}) are left out of both runs. The trained networks are held fixed: other seeds may differ by more. ${a.few ?? ""} p-values are of this pair alone and not corrected for the number of pairs looked at; fgbench compare corrects for many classes.`)];
}

function differences(a, b) {
  const recall = new Map(b.scores.map((score) => [score.label, score.recall]));
  const rows = a.scores.filter((score) => recall.has(score.label)).map((score) => {
    const other = recall.get(score.label);
    return [score.label, score.recall, other, score.recall === null || other === null ? null : score.recall - other];
  });
  const labels = rows.map(([label]) => label);
  return chart(`Difference of the accuracy of each class, ${a.key} minus ${b.key}`, classHeight(labels, 90), (width) => ({
    grid: { left: classRoom(labels, width).left, right: 20, top: 12, bottom: 44 },
    tooltip: tooltip((list) => { const [label, one, other, value] = rows[list[0].dataIndex]; return [label, `first: ${fixed(one)}`, `second: ${fixed(other)}`, `difference: ${signed(value)}`]; }, "axis", { axisPointer: { type: "shadow" } }),
    xAxis: valueAxis("difference of accuracy", { min: -1, max: 1 }), yAxis: classAxis(labels, classRoom(labels, width), { axisLine: { onZero: false, lineStyle: { color: colour("line") } } }),
    series: [{ type: "bar", barMaxWidth: 14, data: rows.map(([, , , value]) => ({ value, itemStyle: { color: colour(value < 0 ? "orange" : "blue") } })) }],
  }), () => [[["Class", ""], ["First", "num"], ["Second", "num"], ["Difference", "num"]], rows.map(([label, one, other, value]) => [label, fixed(one), fixed(other), signed(value)])]);
}

function apart(a, b) {
  const samples = samplesOf(a.place), rightA = isRight(samples, a.predicted), rightB = isRight(samples, b.predicted);
  const all = samples.ids.map((_, sample) => sample);
  const shown = (title, place, list, wrong) => [h("h3", {}, `${title}: ${whole(list.length)}`),
    list.length ? faces(place, list, { lines: (sample) => [className(samples, samples.labels[sample]), `not ${className(samples, wrong.predicted[sample])}`] }) : h("p", { class: "note" }, "None.")];
  return [...shown("Only first", a.place, all.filter((sample) => rightA[sample] && !rightB[sample]), b), ...shown("Only second", b.place, all.filter((sample) => rightB[sample] && !rightA[sample]), a)];
}

function allRuns() {
  const all = overview.runs.map((_, place) => run(place));
  const labels = [...new Set(all.flatMap((entry) => entry.scores.map((score) => score.label)))];
  const cell = (value) => h("td", { class: "num", style: value === null || value === undefined ? {} : { "--share": String(value) } }, fixed(value, 2));
  const rows = labels.map((label) => h("tr", {}, h("th", { scope: "row" }, label), all.map((entry) => cell(entry.scores.find((score) => score.label === label)?.recall))));
  const sum = h("tr", { class: "sum" }, h("th", { scope: "row" }, "mean (UAR)"), all.map((entry) => cell(entry.uar)));
  return scroll(h("table", { class: "plain shaded", "aria-label": "Accuracy of each class and run" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Class"), all.map((entry) => h("th", { scope: "col", class: "num" }, h("a", { href: `#/run/${entry.place}` }, stated(entry)))))),
    h("tbody", {}, rows, sum)));
}
