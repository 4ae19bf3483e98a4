import { z } from "zod";
import { type OpenCommand, openCommand } from "../command_line/command.ts";
import { CommandError } from "../command_line/command_error.ts";
import { nearest } from "../command_line/nearest.ts";
import { quote } from "../printable.ts";
import { version } from "../version.ts";
import { GROUPS, PAGES } from "./pages.ts";

/** `signalbox docs [PAGE]`: the manual that belongs to this version, from a machine that has nothing but the program. */
export const openDocs: OpenCommand = openCommand({
  schema: z.object({}),
  operands: { names: ["PAGE"], optional: true, words: PAGES.map(({ name, says }) => ({ word: name, says })) },
  example: "signalbox docs\nsignalbox docs settings | less\nsignalbox docs worker_lost",
  notes: `A page is printed as it is written, in Markdown. In place of its name the code
of an error may stand: then its likely causes are printed, and where to look.`,
  run: async (_, io, { operands: [wanted] }) => {
    io.out(wanted === undefined ? listing() : await textOf(wanted));
    return 0;
  },
});

/** Fits 80 columns. */
function listing(): string {
  const width = Math.max(...PAGES.map(({ name }) => name.length));
  const groups = GROUPS.map(
    ([heading, ...pages]) =>
      `${heading}\n${pages.map(({ name, says }) => `  ${name.padEnd(width)}  ${says}\n`).join("")}`,
  );
  return `The manual of Signalbox ${version}.\n\n${groups.join("\n")}
\`signalbox docs PAGE\` prints a page: \`signalbox docs settings | less\`.
\`signalbox docs CODE\` tells of an error code: \`signalbox docs worker_lost\`.
`;
}

/** @throws CommandError when there is no such page, and no such code */
async function textOf(wanted: string): Promise<string> {
  const { TEXTS } = await import("./texts.ts");
  const name = nameOf(wanted);
  const page = PAGES.find((each) => each.name === name);
  if (page) return TEXTS[page.name];
  const sections = failureSections(TEXTS.troubleshooting);
  const section = sections.get(name);
  if (section !== undefined) return section;
  const meant = nearest(name, [...PAGES.map((each) => each.name), ...sections.keys()]);
  throw new CommandError(
    `Cannot print ${quote(wanted)}: there is no such page, and no such error code`,
    meant ? `did you mean docs ${meant}?` : "`signalbox docs` lists the pages",
  );
}

/** As pages name each other too: `tls.md`, `docs/README.md`. */
function nameOf(wanted: string): string {
  const lower = wanted.toLowerCase();
  const page = PAGES.find(({ file }) => file.toLowerCase() === lower);
  return page?.name ?? lower.replace(/^docs\/|\.md$/g, "");
}

/** What stands in `docs/troubleshooting.md` under each code: a heading and all up to the next one. */
function failureSections(troubleshooting: string): Map<string, string> {
  const parts = troubleshooting.split(/^(?=##)/m);
  return new Map(
    parts.flatMap((part) => {
      const [, code] = /^### `(\w+)`\n/.exec(part) ?? [];
      return code === undefined ? [] : [[code, `${part.trimEnd()}\n`] as const];
    }),
  );
}
