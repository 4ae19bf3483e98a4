/** What the relay says, as rows of the page's tables. */

/**
 * As `GET /admin/workers`, `GET /admin/stats` and `GET /health` answer.
 * @typedef {ReturnType<typeof import("../../admin/reports.ts").workerReport>} WorkerRow
 * @typedef {import("../../admin/reports.ts").MeasuredEntry} Measured
 * @typedef {{ requests?: Record<string, number>, measured?: Measured[], queue_depth: Record<string, number> }} Stats
 * @typedef {{ version: string, uptime_secs: number, queue_depth: number }} Health
 */

/** More rows than these make a page slow that is filled every two seconds. */
const ROWS_MAX = 500;

/** @param {WorkerRow[]} workers @param {number} nowMs by the relay's clock */
function showWorkers(workers, nowMs) {
  fillTable(
    "workers",
    workers.slice(0, ROWS_MAX).map((worker) => workerRow(worker, nowMs)),
  );
  setText(byId("workers-more"), moreText(workers.length));
  const inFlight = sum(workers.map((worker) => worker.in_flight_count));
  const slots = sum(workers.map((worker) => worker.max_concurrent));
  setText(byId("worker-count"), String(workers.length));
  byId("in-flight").replaceChildren(String(inFlight), make("small", "", ` of ${slots}`));
}

/** @param {WorkerRow} worker @param {number} nowMs @returns {Cell[]} */
function workerRow(worker, nowMs) {
  const { in_flight_count: inFlight, max_concurrent: slots, reported_load: load } = worker;
  const elsewhere = load > inFlight ? `${load - inFlight} from elsewhere` : undefined;
  return [
    { text: worker.worker_name, className: "name", small: worker.worker_id },
    { text: worker.provider, className: "name" },
    stateOf(worker),
    {
      text: `${inFlight} of ${slots}`,
      className: "nowrap",
      share: load / slots,
      ...(elsewhere !== undefined && { small: elsewhere }),
    },
    { text: "", chips: worker.models.map((model) => (model === "*" ? "* (any)" : model)) },
    { text: worker.endpoint_prefixes.length === 0 ? "every path" : "", chips: worker.endpoint_prefixes },
    { text: "", chips: labelTexts(worker.labels) },
    { text: worker.link_form },
    { text: worker.peer, className: "nowrap" },
    { text: durationText(Math.max(0, nowMs - Date.parse(worker.connected_at)) / 1000), className: "nowrap" },
  ];
}

/** @param {WorkerRow} worker @returns {Cell} */
function stateOf({ is_draining: isDraining, reported_load: load, max_concurrent: slots }) {
  if (isDraining) return { text: "draining", className: "warn" };
  return load >= slots ? { text: "busy", className: "warn" } : { text: "free", className: "good" };
}

/** Nested tables as names with dots. @param {object} labels @param {string} [before] @returns {string[]} */
function labelTexts(labels, before = "") {
  return Object.entries(labels).flatMap(([key, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? labelTexts(value, `${before}${key}.`)
      : [`${before}${key} ${Array.isArray(value) ? value.join(", ") : value}`],
  );
}

/** A row for each model of each provider. @param {WorkerRow[]} workers @param {Measured[]} measured */
function showModels(workers, measured) {
  /** @type {Map<string, { model: string, provider: string, workers: number, free: number }>} */
  const served = new Map();
  for (const {
    models,
    provider,
    reported_load: load,
    max_concurrent: slots,
    is_draining: isDraining,
  } of workers) {
    for (const model of models) {
      const key = JSON.stringify([model, provider]);
      const entry = served.get(key) ?? { model, provider, workers: 0, free: 0 };
      entry.workers++;
      if (!isDraining) entry.free += Math.max(0, slots - load);
      served.set(key, entry);
    }
  }
  const entries = [...served.values()].filter(({ model }) => model !== "*");
  entries.sort((a, b) => a.model.localeCompare(b.model) || a.provider.localeCompare(b.provider));
  const speeds = new Map(measured.map((entry) => [JSON.stringify([entry.model, entry.provider]), entry]));
  fillTable(
    "models",
    entries.slice(0, ROWS_MAX).map((entry) => {
      const speed = speeds.get(JSON.stringify([entry.model, entry.provider]));
      return [
        { text: entry.model, className: "name" },
        { text: entry.provider, className: "name" },
        { text: String(entry.workers), className: "number" },
        { text: String(entry.free), className: "number" },
        { text: speed?.throughput ? shortNumber(speed.throughput.p50) : "–", className: "number" },
        { text: speed?.latency ? `${shortNumber(speed.latency.p50)} s` : "–", className: "number nowrap" },
      ];
    }),
  );
  fillNames([...new Set(entries.map(({ model }) => model))].slice(0, ROWS_MAX));
}

/** What the form offers for a model. @param {readonly string[]} names */
function fillNames(names) {
  const list = byId("model-names");
  const shown = JSON.stringify(names);
  if (list.dataset.shown === shown) return;
  list.dataset.shown = shown;
  list.replaceChildren(
    ...names.map((name) => {
      const option = document.createElement("option");
      option.value = name;
      return option;
    }),
  );
}

/** @param {Record<string, number>} requests */
function showResults(requests) {
  const entries = Object.entries(requests).sort(([, a], [, b]) => b - a);
  const all = sum(entries.map(([, count]) => count));
  fillTable(
    "results",
    entries.map(([result, count]) => [
      { text: result, className: resultClass(result), share: count / all },
      { text: count.toLocaleString("en"), className: "number" },
    ]),
  );
  setText(byId("total"), all.toLocaleString("en"));
  return all;
}

/** Statuses are the backend's, words are the relay's own failures. @param {string} result */
function resultClass(result) {
  if (/^[23]/.test(result)) return "good";
  return /^4/.test(result) ? "warn" : "bad";
}

/** @param {number} count */
function moreText(count) {
  return count > ROWS_MAX ? `the first ${ROWS_MAX} of ${count}` : "";
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
