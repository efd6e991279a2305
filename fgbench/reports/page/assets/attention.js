// Attention of video networks: weights over the frames of a clip, above the frames.

const LEAST = 30, MOST = 56, LEFT = 44, RIGHT = 30;  // px

function attentionClips(runPlace) {
  const entry = run(runPlace), samples = samplesOf(runPlace);
  return h("div", { class: "clips" }, entry.attention.map((clip) => {
    const truth = className(samples, samples.labels[clip.sample]), said = className(samples, entry.predicted[clip.sample]);
    const title = `${samples.ids[clip.sample]}: ${truth}${truth === said ? ", right" : `, predicted ${said}`}`;
    return h("div", { class: "clip" }, h("h3", {}, title), weights(clip, title));
  }));
}

function weights(clip, title) {
  const points = (values) => values.map((value, place) => [clip.frames[place], value]);
  const even = 1 / clip.frames.length;
  return chart(`Attention over frames, ${title}`, 190, () => ({
    grid: { left: LEFT, right: RIGHT, top: 28, bottom: 40 }, legend: legend(),
    tooltip: tooltip((list) => [`frame ${list[0].value[0]}`, ...list.map((one) => `${one.seriesName}: ${fixed(one.value[1])}`)], "axis"),
    xAxis: valueAxis("frame", { min: clip.frames[0], max: clip.frames.at(-1), minInterval: 1, nameGap: 24, splitLine: { show: false }, axisLabel: { ...quiet(), hideOverlap: true } }),
    yAxis: valueAxis("", { min: 0, splitNumber: 3, axisLabel: { ...quiet(), formatter: (value) => String(Math.round(value * 1000) / 1000) } }),
    series: [
      { name: "first block", type: "line", data: points(clip.first), showSymbol: clip.frames.length <= 24, symbolSize: 5, lineStyle: { width: 2, color: colour("blue") }, itemStyle: { color: colour("blue") },
        markLine: { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: colour("muted"), type: "dashed" }, data: [{ yAxis: even }] } },
      { name: "second block", type: "line", data: points(clip.second), showSymbol: clip.frames.length <= 24, symbol: "rect", symbolSize: 5, lineStyle: { width: 2, type: "dashed", color: colour("orange") }, itemStyle: { color: colour("orange") } },
    ],
  }), () => [[["Frame", "num"], ["First block", "num"], ["Second block", "num"]], clip.frames.map((frame, place) => [frame, fixed(clip.first[place], 4), fixed(clip.second[place], 4)])], strip(clip));
}

/** Frames below the chart, each under its place on the axis; fewer where they would cover each other. */
function strip(clip) {
  const box = h("div", { class: "strip" });
  const begin = clip.frames[0], length = Math.max(1, clip.frames.at(-1) - begin);
  let width = 0;
  new ResizeObserver(() => {
    if (box.clientWidth === width) return;
    width = box.clientWidth;
    const inside = width - LEFT - RIGHT;
    const side = Math.max(LEAST, Math.min(MOST, inside / Math.max(1, clip.shown.length - 1) - 2));
    box.style.height = `${side + 4}px`;
    let free = -Infinity;
    const shown = [];
    clip.shown.forEach((place, number) => {
      const middle = LEFT + ((clip.frames[place] - begin) / length) * inside;
      if (middle - side / 2 < free) return;
      free = middle + side / 2;
      const frame = picture(...clip.strip[number], `frame ${clip.frames[place]}, weights ${fixed(clip.first[place])} and ${fixed(clip.second[place])}`);
      frame.style.width = `${side}px`;
      frame.style.left = `${middle - side / 2}px`;
      shown.push(frame);
    });
    box.replaceChildren(...shown);
  }).observe(box);
  return box;
}
