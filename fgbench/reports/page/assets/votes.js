// Votes: how far the annotators agree, by round, class, annotator and pair.

const hasVotes = () => document.getElementById("votes") !== null;

function viewVotes() {
  const votes = load("votes");
  const synthetic = overview.synthetic;
  return [
    heading("Votes", [tag(overview.dataset), drawn(synthetic)]),
    h("div", { class: "tiles" }, voteTiles(votes)),
    card("Agreement by round", () => [inParts(votes.rounds.parts), notes(votes.rounds.notes)], { synthetic }),
    card("Agreement by class", () => [classAgreement(votes.classes), notes(votes.classes.notes)], { synthetic }),
    card("Annotators", () => [inParts(votes.annotators.parts), notes(votes.annotators.notes)], { synthetic }),
    card("Pairs of annotators", () => [kappaMatrix(votes.kappas), h("details", {}, h("summary", {}, votes.pairs.rows.length < votes.pairs.n ? `The ${whole(votes.pairs.rows.length)} pairs with most clips in common, of ${whole(votes.pairs.n)}` : `All ${plural(votes.pairs.n, "pair")}`), textTable(votes.pairs, "Pairs of annotators")), notes([...votes.kappas.notes, ...votes.pairs.notes])], { synthetic }),
    card("Classes that annotators confuse", () => confusedClasses(votes.confused), { synthetic }),
    votes.ceiling ? card("Annotators on the test clips", () => [h("p", {}, ceilingSentence(votes.ceiling)), notes(votes.ceiling.notes)], { synthetic }) : null,
  ];
}

function voteTiles({ alpha, n_annotators, n_clips, n_votes, ceiling }) {
  return [
    tile("Alpha of the labels", fixed(alpha), "all rounds"),
    tile("Annotators", whole(n_annotators)),
    tile("Votes", whole(n_votes), plural(n_clips, "clip")),
    ceiling ? tile("Annotators, UAR", fixed(ceiling.uar), "leave one out, test clips") : null,
  ];
}

function ceilingSentence({ uar, low, high, settled }) {
  const interval = low === null ? "" : ` (95 % interval ${fixed(low)} to ${fixed(high)})`;
  return `Mean accuracy of the classes ${fixed(uar)}${interval} against the label of the other annotators; ${fixed(settled)} against the settled label.`;
}

const notes = (list) => h("div", { class: "note" }, list.map((sentence) => h("p", {}, sentence)));

/** A table whose cells are texts already. */
const textTable = ({ columns, numbers, rows }, label) => table(columns.map((name, place) => [name, numbers[place] ? "num" : ""]), rows, { name: "words", label });

/** The parts of a wide table, one below the other. */
const inParts = (parts) => parts.map((part) => [h("h3", {}, part.head), textTable(part, part.head)]);

function classAgreement({ rounds }) {
  const place = h("div");
  const show = (number) => {
    const { classes } = rounds.find((one) => String(one.round) === String(number));
    const labels = classes.map(([label]) => label);
    const alphas = classes.map((row) => row[4]);
    const low = Math.min(0, ...classes.flatMap((row) => [row[4], row[5]]).filter((value) => value !== null));
    place.replaceChildren(chart(`Alpha of each class, round ${number}`, classHeight(labels, 80), (width) => ({
      grid: { left: classRoom(labels, width).left, right: 20, top: 10, bottom: 44 },
      tooltip: tooltip(([one]) => [one.axisValue, `alpha: ${fixed(one.value)}`, `${fixed(classes[one.dataIndex][5])} to ${fixed(classes[one.dataIndex][6])}`], "axis"),
      xAxis: valueAxis("Krippendorff’s alpha", { min: Math.floor(low * 5) / 5, max: 1 }), yAxis: classAxis(labels, classRoom(labels, width)),
      series: [{ name: "alpha", type: "bar", barMaxWidth: 14, data: alphas, itemStyle: { color: colour("blue") },
        markLine: { symbol: ["none", "none"], silent: true, label: { show: false }, lineStyle: { color: colour("ink"), width: 1.5, type: "solid" },
          data: classes.flatMap((row, at) => (row[5] === null ? [] : [[{ coord: [row[5], at] }, { coord: [row[6], at] }]])) } }],
    }), () => [[["Class", ""], ["Clips", "num"], ["Votes", "num"], ["Settled", "num"], ["Alpha", "num"], ["95 % from", "num"], ["to", "num"], ["Confidence", "num"]],
      classes.map(([label, clips, votes, settled, ...rest]) => [label, whole(clips), whole(votes), whole(settled), ...rest.map((value) => fixed(value))])]));
  };
  show(rounds[0].round);
  return [rounds.length > 1 ? choice("Round", rounds.map(({ round }) => [String(round), `round ${round}`]), String(rounds[0].round), show) : null, place];
}

function kappaMatrix({ names, rows }) {
  const head = h("tr", {}, h("td", { class: "corner" }), names.map((name) => h("th", { class: "column", scope: "col" }, h("span", {}, name))));
  const body = rows.map((row, place) => h("tr", {}, h("th", { class: "row", scope: "row" }, h("span", {}, names[place])),
    row.map((kappa, column) => {
      const share = Math.max(0, Math.min(1, kappa ?? 0));
      return h("td", { class: share > .5 ? "strong" : null, title: column === place ? null : `${names[place]} and ${names[column]}: ${kappa === null ? "too few clips in common" : fixed(kappa)}`, style: { "--share": String(Math.round(share * 1000) / 1000) } }, kappa === null ? "" : fixed(kappa, 2));
    })));
  return scroll(h("table", { class: "grid still", "aria-label": "Cohen’s kappa of each pair of annotators" }, h("thead", {}, head), h("tbody", {}, body)));
}

function confusedClasses(confused) {
  const first = { ...confused, rows: confused.rows.slice(0, 15) };
  return [
    confused.rows.length ? textTable(first, "Classes that annotators confuse") : h("p", {}, "None."),
    confused.rows.length > 15 ? h("details", {}, h("summary", {}, `All ${plural(confused.rows.length, "pair")} of classes`), textTable(confused, "All confused classes")) : null,
    notes(confused.notes),
  ];
}
