import { ENVIRONMENT, EXIT_CODES } from "../shared/command_line/exit_codes.ts";
import { wordsBehind } from "../shared/command_line/help.ts";
import type { Program } from "../shared/command_line/run.ts";

/** `docs/command-line.md` */
export async function commandLinePage({ name, commands }: Program): Promise<string> {
  const rows = commands.map(
    (command) =>
      `| \`${name} ${command.name}${wordsBehind(command).replaceAll("|", "\\|")}\` | ${command.says} |`,
  );
  const examples = await Promise.all(commands.map(async ({ open }) => (await open()).example));
  return `# The command line

This page is printed from the declarations of the commands by \`bun docs/generate.ts\`; edit those. The same stands in the
manual pages in \`docs/man/\`: \`man -l docs/man/${name}.1\`. \`${name} COMMAND --help\` lists the flags of a command, and
[settings.md](settings.md) tells all of them.

| command | what it does |
| --- | --- |
${rows.join("\n")}

\`\`\`sh run
${examples.join("\n")}
\`\`\`

A word that is not known is answered with the nearest one. What was asked for and what came of it goes to standard
output, errors, warnings and the log to standard error; \`--json\`, where a command has it, is for programs.

\`serve\` and \`worker\` begin with some lines about what matters: the address or the backend, who comes in, what is served.
Programs can read the first one, \`${name}: listening on URL\`. On a terminal a worker keeps a last line: link, requests
in flight and finished, tokens per second (pieces of streamed answers, which are about one token each). \`--no-status\`
leaves it out; where there is no terminal nothing is counted for it.

## Is all well?

\`${name} doctor\` looks at the settings and at what is around them, a line for each check and a hint for each finding.
\`${name} doctor serve\`: can the port be had, is the certificate good and for how long, who comes in and how good are
their secrets. \`${name} doctor worker\`: does the backend answer, which models does it list, does it take as many requests
as it is sent, and for each relay its name, connection, certificate, clock and whether it lets this worker in. It knocks
as a worker does and leaves before it says what it serves, so the relay sends it nothing. Both look at the limit of open
files and at the clock. With the flags of \`serve\` or \`worker\`, \`--config\` among them, it looks at what these would do.

## The manual

\`${name} docs\` lists the pages of the manual that belongs to this version, \`${name} docs settings\` prints one as it is
written, \`${name} docs worker_lost\` the likely causes of an error code. The executable holds all of them.

## Completion

\`${name} completions bash|zsh|fish|powershell\` prints a script that holds every command, flag and fixed value; its
\`--help\` shows where each shell looks for one.

## Exit codes

| code | meaning |
| --- | --- |
${EXIT_CODES.map(([code, says]) => `| ${code} | ${says} |`).join("\n")}

## Variables that are no settings

| variable | meaning |
| --- | --- |
${ENVIRONMENT.map(([variable, says]) => `| \`${variable}\` | ${says} |`).join("\n")}
`;
}
