// The data set: how much of each class, what it looks like, what could not be used.

function viewDataset() {
  const { counts, contacts, rejected } = load("dataset");
  return [
    heading("Data set", [tag(overview.dataset), drawn(overview.synthetic)]),
    card("Classes and parts", () => distribution(counts), { synthetic: overview.synthetic, note: "Accuracies are computed on originals; augmented copies only train." }),
    card("Faces of each class", () => h("div", { class: "contacts" }, contacts.map(contact)), { synthetic: overview.synthetic, note: "Frames nearest to the key frame, as many clips as there are. Point at a face for its id and its part." }),
    card("Not used", () => refused(rejected), { note: "Clips with the reason and, where the video can be read, a frame from its middle; frames near a key frame without a usable face." }),
  ];
}

function distribution(counts) {
  const names = { Image: "Images", Video: "Clips", "Augmented Image": "Images with copies" };
  const place = h("div");
  const show = (source) => {
    const values = counts.sources[source];
    place.replaceChildren(chart(`${names[source]} of each class by part`, classHeight(counts.labels, 96), (width) => ({
      grid: { left: classRoom(counts.labels, width).left, right: 20, top: 30, bottom: 44 }, legend: legend(),
      tooltip: tooltip((list) => [list[0].axisValue, ...list.map((one) => `${one.seriesName}: ${whole(one.value)}`)], "axis"),
      xAxis: valueAxis(names[source].toLowerCase(), { minInterval: 1 }), yAxis: classAxis(counts.labels, classRoom(counts.labels, width)),
      series: counts.parts.map((part, number) => ({ name: part, type: "bar", stack: "parts", barMaxWidth: 15, data: values[number], itemStyle: { color: colour(["blue", "amber", "green"][number % 3]) } })),
    }), () => [[["Class", ""], ...counts.parts.map((part) => [part, "num"]), ["All", "num"]],
      counts.labels.map((label, row) => [label, ...values.map((part) => whole(part[row])), whole(values.reduce((sum, part) => sum + part[row], 0))])]));
  };
  show("Image");
  const totals = table([["", ""], ...counts.parts.map((part) => [part, "num"]), ["All", "num"]],
    Object.entries(counts.sources).map(([source, values]) => {
      const sums = values.map((part) => part.reduce((one, other) => one + other, 0));
      return [names[source], ...sums.map(whole), whole(sums.reduce((one, other) => one + other, 0))];
    }), { label: "Totals" });
  return [totals, choice("What is counted", Object.keys(counts.sources).map((source) => [source, names[source]]), "Image", show), place];
}

function contact({ label, n, faces: list }) {
  return h("div", { class: "contact" },
    h("h3", { style: { "border-left": `4px solid ${groupColour(group.get(label))}`, "padding-left": "8px" } }, h("span", {}, label), h("span", { class: "muted" }, plural(n, "image"))),
    h("div", { class: "cells" }, list.map(([id, part, sheet, cell]) => picture(sheet, cell, `${id}, ${part}`))));
}

function refused({ reasons, clips, statuses, frames }) {
  if (!clips.length && !frames.length) return h("p", {}, "Every clip and every frame could be used.");
  const shown = (row, lines) => h("li", {}, h("div", { class: "face", style: { cursor: "default" } }, picture(...row.picture, row.name ?? row.id), lines.map((line) => h("span", { title: line }, line))));
  return [
    clips.length ? h("h3", {}, "Clips") : null,
    clips.length ? table([["Stage", ""], ["Reason", ""], ["Clips", "num"]], reasons.map(([stage, reason, count]) => [stage, reason, whole(count)]), { label: "Reasons" }) : null,
    clips.some((row) => row.picture[1] >= 0) ? h("ul", { class: "faces large" }, clips.filter((row) => row.picture[1] >= 0).map((row) => shown(row, [row.id, row.reason]))) : null,
    clips.length ? h("details", {}, h("summary", {}, `All ${plural(clips.length, "clip")} in the list`), table([["Clip", ""], ["Stage", ""], ["Reason", ""], ["Detail", "wide"]], clips.map((row) => [row.id, row.stage, row.reason, row.detail]), { label: "Rejected clips" })) : null,
    frames.length ? h("h3", {}, "Frames of the image set without a usable face") : null,
    frames.length ? table([["Status", ""], ["Frames", "num"]], statuses.map(([status, count]) => [status, whole(count)]), { label: "Statuses" }) : null,
    frames.length ? h("ul", { class: "faces" }, frames.map((row) => shown(row, [row.name, row.status]))) : null,
  ];
}
