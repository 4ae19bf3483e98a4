import { createHash } from "node:crypto";
import closedHtml from "./page/closed.html" with { type: "text" };
import dashboardHtml from "./page/dashboard.html" with { type: "text" };
import dashboardScript from "./page/dashboard.js" with { type: "text" };
import domScript from "./page/dom.js" with { type: "text" };
import rateChartScript from "./page/rate_chart.js" with { type: "text" };
import routeTestScript from "./page/route_test.js" with { type: "text" };
import signInHtml from "./page/sign_in.html" with { type: "text" };
import signInScript from "./page/sign_in.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };
import tablesScript from "./page/tables.js" with { type: "text" };

/** A page with all that it needs in it, and the policy by which browsers run that and nothing else. */
export interface Document {
  readonly html: string;
  readonly policy: string;
}

/** A module: strict, and what it names is nobody else's. */
const EMPTY_SCRIPT = '<script type="module"></script>';

/** For who has signed in. */
export const DASHBOARD = documentOf(dashboardHtml, [
  domScript,
  rateChartScript,
  tablesScript,
  routeTestScript,
  dashboardScript,
]);

/** For who has not. */
export const SIGN_IN = documentOf(signInHtml, [signInScript]);

/** Where there is no admin token. */
export const CLOSED = documentOf(closedHtml, []);

/** `template` has a line `<style></style>`, and where it wants one another for the script. Bun's types take HTML for a bundle. */
function documentOf(template: unknown, scripts: readonly string[]): Document {
  const script = scripts.join("\n");
  return {
    html: String(template)
      .replace("<style></style>", () => `<style>${style}</style>`)
      .replace(EMPTY_SCRIPT, () => EMPTY_SCRIPT.replace("><", () => `>${script}<`)),
    policy: policyOf(script),
  };
}

/**
 * Script and style by their digests, not by `'self'`: what workers answer is of this origin too. Nothing turns a text
 * into markup (Trusted Types, where browsers have them), nothing frames the page, no form leaves it.
 */
function policyOf(script: string): string {
  return [
    "default-src 'none'",
    `style-src ${sourceOf(style)}`,
    ...(script === "" ? [] : [`script-src ${sourceOf(script)}`, "connect-src 'self'"]),
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

function sourceOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
