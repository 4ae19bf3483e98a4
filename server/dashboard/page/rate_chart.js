/** Requests per second over the last minutes, from how their total grew between two looks. */

const CHART_SPAN_MS = 5 * 60_000;
const CHART_WIDTH = 300;
const CHART_HEIGHT = 100;

/** @type {{ atMs: number, total: number }[]} */
const looks = [];

/** @param {number} total @param {number} atMs */
function addLook(total, atMs) {
  looks.push({ atMs, total });
  // One beyond the left edge, from which the first line comes in.
  while (looks.length > 2 && /** @type {{ atMs: number }} */ (looks[1]).atMs < atMs - CHART_SPAN_MS)
    looks.shift();
}

/** What lies between each two looks. */
function rates() {
  return looks.slice(1).map(({ atMs, total }, at) => {
    const before = /** @type {typeof looks[number]} */ (looks[at]);
    return { fromMs: before.atMs, atMs, perS: ((total - before.total) / (atMs - before.atMs)) * 1000 };
  });
}

function drawRate() {
  const all = rates();
  const last = all.at(-1);
  if (!last) return;
  const most = Math.max(...all.map(({ perS }) => perS));
  const x = (/** @type {number} */ atMs) => CHART_WIDTH * (1 - (last.atMs - atMs) / CHART_SPAN_MS);
  const y = (/** @type {number} */ perS) =>
    CHART_HEIGHT - (most === 0 ? 0 : (perS / most) * (CHART_HEIGHT - 6));
  const point = (/** @type {number} */ atMs, /** @type {number} */ perS) =>
    `${x(atMs).toFixed(1)} ${y(perS).toFixed(1)}`;
  const line = all.map(({ fromMs, atMs, perS }) => `${point(fromMs, perS)}L${point(atMs, perS)}`).join("L");
  const chart = byId("rate-chart");
  chart.querySelector(".rate")?.setAttribute("d", `M${line}`);
  const first = /** @type {typeof last} */ (all[0]);
  chart
    .querySelector(".area")
    ?.setAttribute("d", `M${point(first.fromMs, 0)}L${line}L${point(last.atMs, 0)}Z`);
  setText(byId("rate"), shortNumber(last.perS));
  setText(byId("rate-most"), `at most ${shortNumber(most)}`);
}
