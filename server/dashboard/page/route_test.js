/**
 * The form that asks where a request would go: `POST /admin/route-test`.
 * @typedef {import("../../route_test/report.ts").RouteReport} RouteReport
 */

/** @returns {object} what the form describes @throws {Error} with what is wrong with the preferences */
function describedRequest() {
  const model = inputById("route-model").value.trim();
  const provider = inputById("route-provider").value.trim();
  return {
    method: inputById("route-method").value,
    path: inputById("route-path").value.trim(),
    ...(model !== "" && { model }),
    ...(provider !== "" && { provider: preferencesIn(provider) }),
  };
}

/** @param {string} text */
function preferencesIn(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The preferences are not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

async function askRoute() {
  const response = await fetch("admin/route-test", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(describedRequest()),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? `The relay answers ${response.status}`);
  showRoute(answer);
}

/** @param {RouteReport} report */
function showRoute(report) {
  const { decision, candidates, rejections, absent, funnel, request } = report;
  setText(byId("route-decision"), decisionText(report));
  byId("route-decision").className = `decision ${decision.type === "refuse" ? "bad" : "good"}`;
  setText(byId("route-warnings"), request.warnings.join("; "));
  byId("route-warnings").hidden = request.warnings.length === 0;
  const all = funnel[0]?.left ?? 0;
  // Of rules that nobody fell to the first is enough.
  const telling = funnel.filter(({ left }, at) => at === 0 || left !== funnel[at - 1]?.left);
  fillTable(
    "funnel",
    telling.map(({ rule, left }) => [
      { text: rule, className: "name", share: all === 0 ? 0 : left / all },
      { text: String(left), className: "number" },
    ]),
  );
  fillTable(
    "candidates",
    candidates.slice(0, ROWS_MAX).map((candidate) => [
      { text: candidate.worker, className: "name" },
      { text: candidate.provider, className: "name" },
      { text: candidate.model ?? "", className: "name" },
      { text: `${candidate.load} of ${candidate.max_concurrent} busy`, className: "nowrap" },
      { text: candidate.reason, className: "wide" },
    ]),
  );
  fillTable(
    "rejections",
    [...rejections, ...absent].slice(0, ROWS_MAX).map(({ worker, provider, rule, detail }) => [
      { text: worker, className: "name" },
      { text: provider, className: "name" },
      { text: rule, className: "nowrap" },
      { text: detail, className: "wide" },
    ]),
  );
  byId("route-answer").hidden = false;
}

/** @param {RouteReport} report */
function decisionText({ decision, candidates, override }) {
  const [first] = candidates;
  if (decision.type === "refuse")
    return `Refused: ${decision.status} ${decision.code}. ${decision.message ?? ""}`;
  if (decision.type === "wait") return "It would wait in line: all that may serve it are busy.";
  if (!first) return `It would go to ${override?.host ?? "the endpoint that it names"}.`;
  return `It would go to ${first.worker} (${first.provider})${first.model === null ? "" : ` with ${first.model}`}.`;
}

byId("route-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const problem = byId("route-problem");
  askRoute().then(
    () => {
      problem.hidden = true;
    },
    (error) => {
      setText(problem, error.message);
      problem.hidden = false;
      byId("route-answer").hidden = true;
    },
  );
});
