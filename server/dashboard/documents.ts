import { createHash } from "node:crypto";
import closedHtml from "./page/closed.html" with { type: "text" };
import dashboardHtml from "./page/dashboard.html" with { type: "text" };
import dashboardScript from "./page/dashboard.js" with { type: "text" };
import domScript from "./page/dom.js" with { type: "text" };
import figuresStyle from "./page/figures.css" with { type: "text" };
import formsStyle from "./page/forms.css" with { type: "text" };
import rateChartScript from "./page/rate_chart.js" with { type: "text" };
import routeTestScript from "./page/route_test.js" with { type: "text" };
import signInHtml from "./page/sign_in.html" with { type: "text" };
import signInScript from "./page/sign_in.js" with { type: "text" };
import baseStyle from "./page/style.css" with { type: "text" };
import tablesScript from "./page/tables.js" with { type: "text" };

/** A page with all that it needs in it, and the policy by which browsers run that and nothing else. */
export interface Document {
  readonly html: string;
  readonly policy: string;
}

/** A module: strict, and what it names is nobody else's. */
const EMPTY_SCRIPT = '<script type="module"></script>';

/** Without one browsers ask for `/favicon.ico`, which the relay would pass to a worker. */
const ICON = `<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%230b62c4' stroke-width='2' stroke-linecap='round'%3E%3Crect x='3' y='13' width='18' height='7' rx='2'/%3E%3Cpath d='M7 16.5h.01M12 13V9M8.5 6.5a5 5 0 0 1 7 0M6 4a8.5 8.5 0 0 1 12 0'/%3E%3C/svg%3E">`;

/** Of every page: what it looks like is the same, and so is its digest. */
const STYLE = [baseStyle, figuresStyle, formsStyle].join("\n");
const STYLE_SOURCE = sourceOf(STYLE);

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

/** `template` has a place for icon and style, and where it wants one another for the script. Bun's types take HTML for a bundle. */
function documentOf(template: unknown, scripts: readonly string[]): Document {
  const script = scripts.join("\n");
  return {
    html: String(template)
      .replace("<style></style>", () => `${ICON}\n<style>${STYLE}</style>`)
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
    `style-src ${STYLE_SOURCE}`,
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
