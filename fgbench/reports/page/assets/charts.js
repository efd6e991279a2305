// Charts, by Apache ECharts as SVG: made when they come near the window, again when colours change.

const dark = matchMedia("(prefers-color-scheme: dark)");
const charts = new Set();
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A chart with its numbers below it as a table.
 *
 * ``height`` is in px, or gives them by the width; ``option(width)`` gives what ECharts shows; ``numbers()`` gives ``[columns, rows]`` of the table; ``below``
 * stands between both.
 */
function chart(label, height, option, numbers, below = null) {
  const tall = (width) => `${typeof height === "function" ? height(width) : height}px`;
  const box = h("div", { class: "chart", role: "img", "aria-label": label, style: { height: tall(Math.min(innerWidth, 1440) - 48) } });
  const details = h("details", {}, h("summary", {}, "Numbers"));
  details.addEventListener("toggle", () => details.append(table(...numbers(), { label })), { once: true });
  whenNear(box, () => {
    // A box that is not in the page yet has no width.
    const draw = () => {
      box.style.height = tall(box.clientWidth);
      const made = echarts.init(box, null, { renderer: "svg" });
      const entry = { made, box, draw: () => made.setOption({ animation: false, ...base(), ...option(box.clientWidth) }, true) };
      charts.add(entry);
      entry.draw();
      let width = box.clientWidth;
      new ResizeObserver(() => {
        if (!box.isConnected || box.clientWidth === width) return;
        width = box.clientWidth;
        box.style.height = tall(width);
        made.resize();
        entry.draw();
      }).observe(box);
    };
    if (box.isConnected) draw();
    else requestAnimationFrame(draw);
  });
  return h("figure", {}, box, below, details);
}

dark.addEventListener("change", () => charts.forEach((entry) => entry.draw()));

function disposeCharts() {
  charts.forEach((entry) => entry.made.dispose());
  charts.clear();
}

const base = () => ({
  textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour("ink") },
  color: ["blue", "orange", "green", "amber", "purple", "sky"].map(colour),
});
const words = () => ({ color: colour("ink"), fontSize: 12 });
const quiet = () => ({ color: colour("muted"), fontSize: 11 });

function valueAxis(name, more = {}) {
  return { type: "value", name, nameLocation: "middle", nameGap: 28, nameTextStyle: quiet(), axisLabel: quiet(),
    splitLine: { lineStyle: { color: colour("line") } }, ...more };
}

/** An axis of names of classes; ``room`` is that of ``classRoom``, whose ``left`` the grid has. */
function classAxis(names, room, more = {}) {
  return { type: "category", data: names, inverse: true, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("line") } },
    axisLabel: { ...words(), interval: 0, fontSize: 11, lineHeight: 13, formatter: (_, place) => room.lines[place].join("\n") }, ...more };
}

function legend(more = {}) {
  return { top: 0, left: 0, itemHeight: 10, itemWidth: 16, textStyle: words(), ...more };
}

/** A tooltip whose lines are texts; ``lines(parameters)`` gives them. */
function tooltip(lines, trigger = "item", more = {}) {
  return { trigger, confine: true, backgroundColor: colour("surface"), borderColor: colour("line"), textStyle: { ...words(), fontSize: 12 },
    formatter: (parameters) => h("div", {}, lines(parameters).map((line, place) => h("div", place ? {} : { style: { "font-weight": "600" } }, line))), ...more };
}
