// Views by address: #/overview, #/data, #/votes, #/run/<number>, #/compare/<number>/<number>, #/provenance, #/all.

const VIEWS = [
  ["overview", "Overview", () => viewOverview()],
  ["data", "Data", () => viewDataset()],
  ...(hasVotes() ? [["votes", "Votes", () => viewVotes()]] : []),
  ["run", "Runs", (place) => viewRun(overview.runs[place] ? Number(place) : bestRun())],
  ["compare", "Compare", (one, other) => viewCompare(one === undefined ? -1 : Number(one), other === undefined ? -1 : Number(other))],
  ["provenance", "Provenance", () => viewOrigin()],
];

function bestRun() {
  return overview.runs.reduce((best, entry, place) => ((entry.uar ?? 0) > (overview.runs[best].uar ?? 0) ? place : best), 0);
}

function addressParts() {
  return location.hash.startsWith("#/") ? location.hash.slice(2).split("/") : ["overview"];
}

function everyView() {
  return VIEWS.flatMap(([name, , make]) => (name === "run" ? overview.runs.flatMap((_, place) => make(place)) : make()));
}

function show(moved) {
  const [name, ...rest] = addressParts();
  const known = VIEWS.find(([view]) => view === name) ?? VIEWS[0];
  if (known[0] === "run" && !overview.runs.length) return void (location.hash = "#/overview");
  waiting.clear();
  watcher.disconnect();
  disposeCharts();
  document.getElementById("detail").close();
  eager = name === "all";
  const view = h("div", { class: "view" });
  main.replaceChildren(view);
  view.append(...[eager ? everyView() : known[2](...rest)].flat(Infinity).filter(Boolean));
  document.querySelectorAll(".tabs a").forEach((link) => {
    if (!eager && link.dataset.view === known[0]) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  if (moved) {
    scrollTo(0, 0);
    view.querySelector("h1").focus({ preventScroll: true });
  }
}

const main = document.getElementById("main");
document.getElementById("top").append(
  h("div", { class: "bar" }, h("div", { class: "brand" }, "fgbench ", h("span", {}, "report")),
    h("nav", { class: "tabs", "aria-label": "Views" }, VIEWS.filter(([name]) => name !== "run" || overview.runs.length).map(([name, title]) => h("a", { href: `#/${name}`, "data-view": name }, title)))),
  overview.synthetic || overview.runs.some((entry) => entry.synthetic)
    ? h("div", { class: "synthetic", role: "note" }, h("p", {}, h("b", {}, "SYNTHETIC data: drawn faces. "), "Nothing measured on them says anything of real faces.")) : "");
addEventListener("hashchange", () => { if (!location.hash || location.hash.startsWith("#/")) show(true); });
const dialog = document.getElementById("detail");
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
show(false);
performance.mark("fgbench-ready");
