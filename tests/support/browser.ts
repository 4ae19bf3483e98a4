import { type Browser, chromium, type Page } from "playwright-core";
import { lacks, pathOfTool } from "./tools.ts";

/** A real browser: Debian's Chromium, as `.ci/run` installs it. It sees loopback alone. */

const FLAGS = [
  // Its own sandbox wants what a container seldom gives; all it opens is ours.
  "--no-sandbox",
  ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync"],
  // A name that is not loopback's, for which browsers take a page without TLS for what it is.
  "--host-resolver-rules=MAP relay.test 127.0.0.1",
];

/** For the `skip` of a test: why there is no browser; undefined when there is, or has to be. */
export const NO_BROWSER = lacks("chromium");

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: pathOfTool("chromium") ?? "chromium", args: FLAGS });
}

/** What went wrong or went elsewhere in a page, from now on: errors, complaints of the browser, dialogs, other hosts. */
export function watchPage(page: Page, origin: string): string[] {
  const seen: string[] = [];
  page.on("pageerror", (error) => seen.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") seen.push(message.text());
  });
  page.on("dialog", (dialog) => {
    seen.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) seen.push(`request: ${url}`);
  });
  return seen;
}
