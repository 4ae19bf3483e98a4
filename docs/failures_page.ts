import { FAILURES } from "../shared/failures.ts";

const INTRODUCTION = `# Failures

This page is printed from \`shared/failure_table.ts\` by \`bun docs/generate.ts\`; edit that.

What a client gets when the relay itself cannot answer its request is JSON in the dialect of the path: OpenAI's
\`{"error":{"message","type","code","param"}}\`, Anthropic's \`{"type":"error","error":{"type","message","code"}}\` below
\`/v1/messages\`, Ollama's \`{"error":"message","code"}\` below \`/api/\`. \`metadata\` stands beside \`code\` where there is
some. OpenRouter's clients, known by their user agent or an \`X-OpenRouter-…\` header, get
\`{"error":{"code","message","metadata"}}\`, where \`error.code\` is the status and \`metadata.code\` the code of this page.
\`code\` never changes its meaning; \`X-Signalbox-Request-Id\` finds the request in the log. What a backend answered,
its errors included, passes through as it is.

\`source\` is whose doing it is. *Asked again*: another worker may be asked, if what was sent allows it. \`Retry-After\` is
in seconds, where the relay does not know better. A 499, and whatever happens after the answer has begun, is never
sent: the connection breaks, and the code stands in the log.

| code | status | source | asked again | Retry-After | what it says | what to do |
| --- | --- | --- | --- | --- | --- | --- |
`;

/** `docs/failures.md` */
export function failuresPage(): string {
  const rows = Object.entries(FAILURES).map(
    ([code, { status, source, retryable, retryAfterS = "", says, hint }]) =>
      `| \`${code}\` | ${status} | ${source} | ${retryable ? "yes" : "no"} | ${retryAfterS} | ${says} | ${hint} |\n`,
  );
  return INTRODUCTION + rows.join("");
}
