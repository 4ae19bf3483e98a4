/**
 * Prints the pages that follow from declarations in the code: `bun docs/generate.ts`. With `--check` nothing is
 * written, and a page that would change is an error.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { program } from "../main.ts";
import type { SettingsPage } from "../shared/settings/render.ts";
import { envExample, settingsPage } from "../shared/settings/render.ts";
import { commandLinePage } from "./command_line_page.ts";
import { failuresPage } from "./failures_page.ts";
import { manPages } from "./man_page.ts";
import { overridePage } from "./override_page.ts";
import { routeTestPage } from "./route_test_page.ts";
import { routingPage } from "./routing_page.ts";
import { scenariosPage } from "./scenarios_page.ts";
import { serviceFiles } from "./service_files.ts";
import { troubleshootingPage } from "./troubleshooting_page.ts";

/** Commands whose settings are worth a variable in `.env`. */
const LONG_RUNNING = ["serve", "worker"];

/** Every generated page by its path in the project. */
export async function pages(): Promise<Map<string, string>> {
  const settings: SettingsPage[] = await Promise.all(
    program.commands.map(async ({ name, says, open }) => ({ name, says, schema: (await open()).schema })),
  );
  return new Map([
    [".env.example", envExample(settings.filter(({ name }) => LONG_RUNNING.includes(name)))],
    ["docs/command-line.md", await commandLinePage(program)],
    ["docs/failures.md", failuresPage()],
    ["docs/override.md", overridePage()],
    ["docs/route-test.md", routeTestPage()],
    ["docs/routing.md", routingPage()],
    ["docs/scenarios.md", scenariosPage()],
    ["docs/settings.md", settingsPage(settings.filter(({ schema }) => Object.keys(schema.shape).length > 0))],
    ["docs/troubleshooting.md", troubleshootingPage()],
    ...[...(await manPages(program))].map(([name, text]) => [`docs/man/${name}`, text] as const),
    ...serviceFiles(),
  ]);
}

/** Where a page is, wherever the generator was started from. */
export function locate(path: string): URL {
  return new URL(`../${path}`, import.meta.url);
}

if (import.meta.main) {
  const check = process.argv.includes("--check");
  for (const [path, text] of await pages()) {
    if (!check) writeFileSync(locate(path), text);
    else if (readFileSync(locate(path), "utf8") !== text) {
      process.stderr.write(`error: ${path} is not what the code says\nhint: run bun docs/generate.ts\n`);
      process.exitCode = 1;
    }
  }
}
