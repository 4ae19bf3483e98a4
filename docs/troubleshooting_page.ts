import { FAILURES, type FailureCode, type FailureSource } from "../shared/failures.ts";
import type { CausesOf } from "./causes/cause.ts";
import { CAUSES_OF_BACKENDS_AND_PROVIDERS } from "./causes/of_backends_and_providers.ts";
import { CAUSES_OF_CLIENTS } from "./causes/of_clients.ts";
import { CAUSES_OF_RELAYS_AND_WORKERS } from "./causes/of_relays_and_workers.ts";

/** A failure without causes is an error of types. */
const CAUSES: CausesOf = {
  ...CAUSES_OF_CLIENTS,
  ...CAUSES_OF_RELAYS_AND_WORKERS,
  ...CAUSES_OF_BACKENDS_AND_PROVIDERS,
};

const INTRODUCTION = `# Troubleshooting

This page is printed from \`shared/failure_table.ts\` and \`docs/causes/\` by \`bun docs/generate.ts\`; edit those.

## Where to look first

- **The answer.** The relay's own errors have a \`code\`, which is a heading below; \`signalbox docs CODE\` prints what
  stands under it. \`X-Signalbox-Request-Id\` stands in every answer that was relayed and in every error of the relay. An
  error without that header is of a proxy in front; one with it, and without a code of this page, is the backend's own.
- **The relay's log.** At \`--log-level info\` each request has a line, with \`request_id\` and, when something went wrong,
  \`failure\`. What breaks after an answer has begun stands only there.
- **\`signalbox doctor\`** checks settings, port, certificate, backend and the way to the relay, and says what to do.
- **\`signalbox config print serve\`** shows what came of the settings, and whether flag, variable, file or default said so.
- **\`route-test\`** tells where a request would go and why, without sending it: [route-test.md](route-test.md).
- **\`/admin/workers\`** lists who is connected, with models, load, slots and the form of the link; it asks for the admin token.

On the relay's machine and on a worker's:

\`\`\`sh run
signalbox doctor serve
signalbox config print serve
\`\`\`

\`\`\`sh run
signalbox doctor worker --backend-url http://127.0.0.1:11434 --endpoint-prefixes /v1
signalbox route-test POST /v1/chat/completions --model llama3.2 --server http://127.0.0.1:8080
\`\`\`

## Without a code

| what is seen | likely cause | where to look |
| --- | --- | --- |
| The program ends at once with exit code 2 | a setting is wrong, or the port is in use | the lines \`error:\` and \`hint:\`; \`signalbox config check\`; [exit codes](command-line.md#exit-codes) |
| \`serve\` refuses to listen beyond loopback | there is no worker secret: anybody could connect a worker | [security.md](security.md#worker-secrets) |
| A worker does not show up | wrong secret, wrong address, a proxy without WebSockets | its log: "The relay refuses the worker secret", "The relay cannot be reached" with the reason; \`doctor worker\` |
| A worker waits and does not connect | it found no backend on this machine, and none is named | its log: "No backend found on this machine"; \`--backend-url\` |
| \`/v1/models\` lacks a model, the worker is there | the backend is away or does not list it | the worker's log: "The backend cannot be reached"; \`--models\` names models that no list has |
| A stream arrives in one piece | a proxy in front collects it | [reverse-proxy.md](reverse-proxy.md): buffering off |
| The same, for lines of JSON as of Ollama's own API | the worker is ModelRelay's, whose link streams events only | \`link_form\` in \`/admin/workers\` |
| An answer breaks off in the middle | the worker, the backend or a proxy on the way was lost | \`failure\` in the log line of that request; none and a smaller \`bytes_out\` than expected: past the relay |
| All requests go to one machine | it has the lower load, or a session or a kept thing holds them there | \`route-test --server\`: the reason behind each candidate |
| Answers come from another model than was asked for | \`models\` of the request names others to fall back to | \`X-Signalbox-Model\`, \`X-Signalbox-Attempts\` |
| The backend sees one address for all clients | the proxy in front is not named | \`--trusted-proxy\` |
| A page in a browser cannot call | its origin is not named | \`--cors-origin\` |
| Secrets or keys that were changed have no effect | the file cannot be read, or a variable goes before it | the log: "cannot be read again"; \`config print\` |

`;

const HEADINGS: readonly (readonly [heading: string, sources: readonly FailureSource[]])[] = [
  ["Requests", ["client"]],
  ["The relay", ["relay"]],
  ["Workers and links", ["worker"]],
  ["Backends", ["backend"]],
  ["Providers' endpoints", ["provider"]],
];

/** `docs/troubleshooting.md` */
export function troubleshootingPage(): string {
  const codes = Object.keys(FAILURES) as FailureCode[];
  const parts = HEADINGS.map(([heading, sources]) => {
    const own = codes.filter((code) => sources.includes(FAILURES[code].source));
    return `## ${heading}\n\n${own.map(section).join("\n")}`;
  });
  return `${INTRODUCTION}${byStatus(codes)}\n${parts.join("\n")}`;
}

function byStatus(codes: readonly FailureCode[]): string {
  const statuses = [...new Set(codes.map((code) => FAILURES[code].status))].sort((a, b) => a - b);
  const rows = statuses.map((status) => {
    const own = codes.filter((code) => FAILURES[code].status === status);
    return `| ${status} | ${own.map((code) => `[\`${code}\`](#${code})`).join(", ")} |\n`;
  });
  return `## By status\n\n| status | codes |\n| --- | --- |\n${rows.join("")}`;
}

function section(code: FailureCode): string {
  const { status, says, hint } = FAILURES[code];
  const rows = CAUSES[code].map(({ likely, look }) => `| ${likely} | ${look} |\n`);
  return `### \`${code}\`

${status}: ${says}. In short: ${hint}.

| likely cause | where to look |
| --- | --- |
${rows.join("")}`;
}
