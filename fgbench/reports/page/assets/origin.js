// Where everything comes from.

const FACTS = { commit: "Commit", fgbench: "fgbench", python: "Python", machine: "Machine", device: "Device", manifest_digest: "Manifests", config_digest: "Settings" };

function viewOrigin() {
  const origin = load("origin");
  return [
    heading("Provenance"),
    card("Data", () => [
      definitions([["Data set", h("span", {}, origin.dataset, " ", drawn(overview.synthetic))], ["Manifests", h("code", {}, origin.manifest_digest)], ["Files", whole(origin.files)],
        ...Object.entries(origin.provenance).map(([key, value]) => [FACTS[key] ?? key, h("code", {}, value ?? "not known")])]),
      folded("Recipe", () => h("pre", { tabindex: "0" }, origin.recipe)), folded("Packages", () => packages(origin.versions)),
      origin.digests.length ? folded(`Digests of ${plural(origin.digests.length, "file")}`, () => table([["File", ""], ["Rows", "num"], ["sha256", ""]], origin.digests.map(([name, digest, rows]) => [name, rows === null ? "" : whole(rows), h("code", {}, digest ?? "")]), { label: "Files" })) : null,
    ]),
    origin.runs.length ? card("Runs", () => [
      table([["Run", "wide"], ["Seed", "num"], ["Device", ""], ["Commit", ""], ["fgbench", ""], ["Manifests", ""], ["Data", ""]],
        origin.runs.map((entry) => [entry.key, entry.seed, entry.facts.device ?? "", h("code", {}, shortened(entry.facts.commit)), entry.facts.fgbench ?? "",
          stateTag(entry) ?? "as now", drawn(entry.synthetic) ?? "real"]), { label: "Runs" }),
      origin.runs.map((entry) => folded(entry.key, () => h("div", { class: "pairs" },
        h("div", {}, definitions([["Seed", entry.seed], ...Object.entries(entry.facts).map(([key, value]) => [FACTS[key], h("code", {}, value ?? "not known")]), ["Predictions", h("code", {}, entry.predictions_sha256 ?? "")]]),
          folded("Packages", () => packages(entry.versions))),
        h("div", { style: { display: "grid", gap: "10px" } }, h("h3", {}, "Settings"), h("pre", { tabindex: "0" }, entry.config), h("h3", {}, "Details"), h("pre", { tabindex: "0" }, entry.details))))),
    ]) : null,
    card("This page", () => definitions([["Charts", `Apache ECharts ${echarts.version}, Apache-2.0`], ["Network", "none: the page holds all that it shows"],
      ["Print", h("a", { href: "#/all" }, "all views on one page")]])),
  ];
}

const shortened = (digest) => (digest ? digest.slice(0, 10) + (digest.endsWith("+") ? "+" : "") : "not known");
const packages = (versions) => definitions(Object.entries(versions).map(([name, version]) => [name, h("code", {}, version)]));

function folded(title, content) {
  const element = h("details", {}, h("summary", {}, title));
  element.addEventListener("toggle", () => element.append(content()), { once: true });
  return element;
}
