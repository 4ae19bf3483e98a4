import { jsonSchemaOf } from "../server/route_test/json_schema.ts";
import { routeReportSchema, scenarioRunSchema } from "../server/route_test/report.ts";
import { schemaTable } from "./schema_table.ts";

const INTRODUCTION = `# route-test

This page is printed from \`server/route_test/report.ts\` by \`bun docs/generate.ts\`; edit that, or
\`docs/route_test_page.ts\`.

\`signalbox route-test\` tells where a request would go and why: it calls what the relay calls, and sends, reserves,
counts and rotates nothing. Who asks is looked at only where a request names its own endpoint ([override.md](override.md)):
in that case what \`--header\` shows is judged by a running relay as if it had come, its API key or its signature, which
stays good; API keys have no other say in where a request goes.

\`\`\`sh run
npx bun main.ts route-test POST /v1/chat/completions --model llama3 --fleet fleet.toml
npx bun main.ts route-test POST /v1/chat/completions --model llama3 --server http://127.0.0.1:8080
\`\`\`

The fleet comes from a file ([scenarios.md](scenarios.md)) or from a running relay, which wants its admin token
(\`--admin-token-file\`, \`SIGNALBOX_ADMIN_TOKEN\`) and then goes by its own settings too. \`--help\` lists the flags, and
[settings.md](settings.md) with their names in a file.

## What is expected

\`--expect\`, \`--expect-provider\`, \`--expect-worker\`, \`--expect-order\`, \`--expect-endpoint\` and \`--expect-code\` each say something about what
is to come out; what does not hold is shown as wanted and found. \`--expect-order\` names all candidates, each by its own
name or its provider's: \`home,lab\` holds when there are two, the first of \`home\` (or \`home/4090\`), the second of \`lab\`.

| exit code | without expectations | with some |
| --- | --- | --- |
| 0 | it would be sent, or wait in line | all hold |
| 1 | it would be refused, or with \`--resolve\` its endpoint has no address that may be dialled | one does not hold |
| 2 | what was given is wrong, or the relay gave no answer: one \`error:\` line, one \`hint:\` line, nothing else | the same |

## POST /admin/route-test

Takes \`[request]\` of a scenario as JSON ([scenarios.md](scenarios.md#request)), answers 200 with the report below, whatever
the decision, and 400 for what is no request. With \`"record": true\` the member \`fleet\` holds the fleet in the form of a
scenario file, with \`"resolve": true\` the relay looks up the host that the request names.

## The report

What \`--json\` prints, and what the relay answers. Members may join; none of these changes its name or its meaning while
\`version\` is 1.

`;

const SCENARIOS = `
## Scenarios

What \`--scenario\` prints with \`--json\`.

`;

/** `docs/route-test.md` */
export function routeTestPage(): string {
  return (
    INTRODUCTION +
    schemaTable(jsonSchemaOf(routeReportSchema, "output"), { defaults: false }) +
    SCENARIOS +
    schemaTable(jsonSchemaOf(scenarioRunSchema, "output"), { defaults: false })
  );
}
