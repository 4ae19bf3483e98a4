import { readFileSync } from "node:fs";
import { dryRun } from "../server/route_test/dry_run.ts";
import { readScenario } from "../server/route_test/read_scenario.ts";
import { renderReport } from "../server/route_test/render_report.ts";
import { wrap } from "../shared/command_line/help.ts";
import { styleOf } from "../shared/command_line/style.ts";
import { parseToml } from "../shared/settings/settings_file.ts";

const FOLDER = "tests/routing/scenarios";
const PAGE_COLUMNS = 120;

/** As into a pipe: no colours, 80 columns. */
const STYLE = styleOf("never", { out: () => {}, err: () => {}, stdin: async () => "", env: {} });

/** A scenario for people: what it shows, its fleet and request as they stand in the file, and what comes out. */
export function workedExample(name: string): string {
  const path = `${FOLDER}/${name}.toml`;
  const text = readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
  const { title, fleet, settings, request } = readScenario(path, text);
  const { why } = parseToml(path, text) as { why: string };
  return `${wrap(`Example: **${title}**. ${why} ([${name}.toml](../${path}))`, "", PAGE_COLUMNS)}

\`\`\`toml
${situationIn(text)}
\`\`\`

\`\`\`text
${renderReport(dryRun(request, fleet, settings), STYLE).trimEnd()}
\`\`\`
`;
}

/** What stands between the words at the top and what is expected. */
function situationIn(text: string): string {
  return text.slice(text.search(/^\[/m), text.search(/^\[expect/m)).trim();
}
