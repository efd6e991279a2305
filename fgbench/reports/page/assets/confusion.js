// The confusion matrix: a grid for mouse and keyboard, with the samples behind each cell.

/** Counts and the samples of every cell, for classes or upper classes; the last column is "no prediction". */
function confusions(samples, predicted, level) {
  let names = samples.classes, of = (number) => number;
  if (level === "upper") {
    names = overview.upper;
    of = (number) => (number < 0 ? -1 : names.indexOf(group.get(samples.classes[number])));
  }
  const cells = names.map(() => Array.from({ length: names.length + 1 }, () => []));
  samples.labels.forEach((label, sample) => {
    const column = of(predicted[sample]);
    cells[of(label)][column < 0 ? names.length : column].push(sample);
  });
  return { names, cells };
}

function confusionMatrix(runPlace) {
  const samples = samplesOf(runPlace), entry = run(runPlace);
  const hasTree = samples.classes.every((name) => group.has(name));
  const place = h("div", { class: "matrix" });
  const panel = h("div", { class: "panel", "aria-live": "polite" });
  let level = "leaf", unit = "count";

  function show() {
    const { names, cells } = confusions(samples, entry.predicted, level);
    panel.replaceChildren(h("p", { class: "note" }, "Choose a cell to see the samples behind it: by click, or with the arrow keys and Enter. A name at the edge shows all samples of its row or column."));
    place.replaceChildren(scroll(matrixTable(names, cells, unit, level, pick)), panel);
  }

  function pick(title, list) {
    const sure = [...list].sort((one, other) => (topShare(entry, other) ?? -1) - (topShare(entry, one) ?? -1));
    panel.replaceChildren(h("div", { class: "head" }, h("h3", {}, title), drawn(entry.synthetic)), h("p", { class: "note" }, list.length ? `${plural(list.length, "sample")}, the surest first` : "No sample."),
      faces(runPlace, sure, { sure: true }));
    if (panel.getBoundingClientRect().top > innerHeight - 80) panel.scrollIntoView({ block: "nearest" });
  }

  show();
  return [
    h("div", { class: "controls" },
      hasTree ? choice("Classes", [["leaf", `${samples.classes.length} classes`], ["upper", `${overview.upper.length} upper classes`]], level, (value) => { level = value; show(); }) : null,
      choice("Numbers", [["count", "samples"], ["share", "% of the row"]], unit, (value) => { unit = value; show(); })),
    place,
  ];
}

function matrixTable(names, cells, unit, level, pick) {
  const columns = [...names, "no prediction"];
  const colourOf = (name) => groupColour(level === "upper" ? name : group.get(name));
  const focusable = [];  // rows of elements; the first row and column are the names
  const action = new Map();
  const remember = (row, column, element, act) => {
    (focusable[row] ??= [])[column] = element;
    action.set(element, [row, column, act]);
    return element;
  };
  const head = h("tr", {}, h("td", { class: "corner", style: { background: "none", cursor: "default" } }), columns.map((name, column) =>
    remember(0, column + 1, h("th", { class: "column", scope: "col", tabindex: "-1", style: { "--group": colourOf(name) }, "aria-label": `all predicted as ${name}` }, h("span", {}, name)),
      () => pick(column < names.length ? `All predicted as ${name}` : "All without prediction", cells.flatMap((row) => row[column])))));
  const body = cells.map((row, place) => {
    const total = row.reduce((sum, list) => sum + list.length, 0);
    return h("tr", {},
      remember(place + 1, 0, h("th", { class: "row", scope: "row", tabindex: "-1", style: { "--group": colourOf(names[place]) }, "aria-label": `all of ${names[place]}` }, h("span", {}, names[place])),
        () => pick(`All of ${names[place]}`, row.flat())),
      row.map((list, column) => {
        const share = total ? list.length / total : 0;
        const text = list.length ? (unit === "count" ? whole(list.length) : (100 * share).toFixed(0)) : "";
        const told = `true ${names[place]}, ${column < names.length ? `predicted ${columns[column]}` : "no prediction"}: ${list.length} of ${total}`;
        const kind = [column === place ? "diagonal" : "", share > .5 ? "strong" : ""].filter(Boolean).join(" ");
        return remember(place + 1, column + 1, h("td", { class: kind || null, tabindex: "-1", "aria-label": told, title: told, "data-true": names[place], "data-predicted": columns[column], style: { "--share": String(Math.round(Math.sqrt(share) * 1000) / 1000) } }, text),
          () => pick(column < names.length ? `${names[place]}, predicted as ${columns[column]}` : `${names[place]}, no prediction`, list));
      }));
  });
  const grid = h("table", { class: level === "upper" ? "grid upper" : "grid", role: "grid", "aria-label": "Confusion matrix: true classes in rows, predicted ones in columns" },
    h("thead", {}, head), h("tbody", {}, body));
  let current = focusable[1][1];
  current.tabIndex = 0;

  function focusOn(element) {
    current.tabIndex = -1;
    current = element;
    current.tabIndex = 0;
    current.focus();
  }
  function choose(element) {
    grid.querySelector("[aria-selected]")?.removeAttribute("aria-selected");
    element.setAttribute("aria-selected", "true");
    action.get(element)[2]();
  }
  grid.addEventListener("click", (event) => {
    const element = event.target.closest("td, th");
    if (action.has(element)) { focusOn(element); choose(element); }
  });
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -Infinity], End: [0, Infinity], PageUp: [-Infinity, 0], PageDown: [Infinity, 0] };
  grid.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(current);
    } else if (steps[event.key]) {
      event.preventDefault();
      const [row, column] = action.get(current);
      const [down, across] = steps[event.key];
      const within = (value, most) => Math.max(0, Math.min(most, value));
      const next = focusable[within(row + down, names.length)][within(column + across, columns.length)];
      if (next) focusOn(next);
    }
  });
  return grid;
}
