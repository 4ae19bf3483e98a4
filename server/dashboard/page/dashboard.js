/** Looks at the relay every two seconds while somebody looks at the page. */

const LOOK_INTERVAL_MS = 2_000;

/** A relay that is alive answers at once. */
const ANSWER_MAX_MS = 10_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let nextLook;
let looking = false;
let answeredAtMs = performance.now();

/** How far the relay's clock is ahead of this machine's, by what it answered last. */
let aheadMs = 0;

/** @param {string} path */
async function get(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MAX_MS) });
  // The session is over: the same address has the form to sign in.
  if (response.status === 403) location.reload();
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  aheadMs = Date.parse(response.headers.get("date") ?? "") - Date.now() || 0;
  return await response.json();
}

async function look() {
  /** @type {[{ workers: WorkerRow[] }, Stats, Health]} */
  const [{ workers }, stats, health] = await Promise.all([
    get("admin/workers"),
    get("admin/stats"),
    get("health"),
  ]);
  setText(byId("version"), `version ${health.version}`);
  setText(byId("uptime"), `up for ${durationText(health.uptime_secs)}`);
  setText(byId("waiting"), String(health.queue_depth));
  showWorkers(workers, Date.now() + aheadMs);
  showModels(workers, stats.measured ?? []);
  addLook(showResults(stats.requests ?? {}), performance.now());
  drawRate();
}

async function lookAgain() {
  if (looking || document.hidden) return;
  looking = true;
  clearTimeout(nextLook);
  try {
    await look();
    answeredAtMs = performance.now();
    showState("");
  } catch {
    showState(`No answer for ${durationText((performance.now() - answeredAtMs) / 1000)}. Asking again.`);
  } finally {
    looking = false;
    nextLook = setTimeout(lookAgain, LOOK_INTERVAL_MS);
  }
}

/** @param {string} problem */
function showState(problem) {
  const state = byId("state");
  setText(state, problem || "Live");
  state.className = `state ${problem ? "bad" : "good"}`;
}

async function signOut() {
  await fetch("dashboard/sign-out", { method: "POST" });
  location.reload();
}

byId("sign-out").addEventListener("click", () => {
  signOut().catch(() => showState("The relay does not answer: you are still signed in."));
});
// A hidden page asks nothing: its timer finds it hidden and sets no other.
document.addEventListener("visibilitychange", lookAgain);
lookAgain();
