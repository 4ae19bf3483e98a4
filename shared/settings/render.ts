import { flagsOf, wrap } from "../command_line/help.ts";
import { describe, type Setting, type SettingsSchema } from "./describe.ts";

/** A command's settings as pages of the manual show them. */
export interface SettingsPage {
  name: string;
  says: string;
  schema: SettingsSchema;
}

const INTRODUCTION = `# Settings

This page is printed from the declarations of the settings by \`bun docs/generate.ts\`; edit those.

Each setting is a flag, an environment variable and a key of a TOML file (\`--config FILE\`, \`SIGNALBOX_CONFIG\`). A
flag is stronger than a variable, a variable than the file, the file than the default. \`--print-settings\` prints what
came of it and from where. What is about a single run, as most of \`route-test\` is, has no variable.

- **Durations** are \`250ms\`, \`30s\`, \`2m\`, \`1h\`; a bare number is seconds. **Sizes** are \`500KB\` (1000), \`64MiB\`
  (1024); a bare number is bytes.
- **Lists** are written with commas, or by repeating the flag; in the file as TOML lists.
- **An empty variable** counts as not set. Only for on/off settings it is an error: an empty guard must not be read as off.
- **Secrets** can also stand in a file of their own: \`--worker-secret-file\`, \`WORKER_SECRET_FILE\`,
  \`worker_secret_file\`, or \`worker-secret\` in \`$CREDENTIALS_DIRECTORY\`, where systemd's \`LoadCredential=\` puts them.
  A flag that holds a secret can be seen in the list of processes, so it warns.
- **Paths of files** in the file start from its folder; elsewhere from the current folder.
- **Tables** such as \`[override]\` are JSON in variables and flags; [override.md](override.md) tells what is in that one.
- A misspelt flag or key is an error that names the nearest one; a misspelt \`SIGNALBOX_\` variable is a warning.
- **ModelRelay's** flags, variables and worker file are taken as they are. In a worker's file that carries only
  ModelRelay's keys, unknown ones are a warning, as ModelRelay ignores them. Of \`RUST_LOG\` and \`LOG_LEVEL\` the
  part without a target counts.
`;

/** `docs/settings.md` */
export function settingsPage(pages: readonly SettingsPage[]): string {
  return [INTRODUCTION, ...pages.map(commandSection)].join("\n");
}

function commandSection({ name, says, schema }: SettingsPage): string {
  const groups = Map.groupBy(describe(schema), ({ group }) => group);
  const tables = [...groups].map(([group, settings]) => `### ${group}\n\n${table(settings)}`);
  return `## \`signalbox ${name}\`\n\n${says}.\n\n${tables.join("\n")}`;
}

function table(settings: readonly Setting[]): string {
  const rows = settings.map(({ variables, tomlKey, default: fallback, says, ...setting }) => [
    code(
      flagsOf({ ...setting, variables, tomlKey, says, ...(fallback !== undefined && { default: fallback }) }),
    ),
    variables.map(code).join(", "),
    code(tomlKey),
    fallback ? fallback.split(",").map(code).join(", ") : "",
    says,
  ]);
  const header = [["flag", "variable", "key", "default", "what it does"], Array(5).fill("---")];
  return [...header, ...rows].map((cells) => `| ${cells.map(escapeCell).join(" | ")} |\n`).join("");
}

/** `.env.example`: every variable with its default, commented out. */
export function envExample(pages: readonly SettingsPage[]): string {
  const head =
    "# Every variable that signalbox reads, with its default. Take away the # of those to change.\n" +
    "# Printed from the declarations of the settings by `bun docs/generate.ts`; docs/settings.md tells more.\n";
  return [head, ...pages.map(envSection)].join("\n");
}

function envSection({ name, schema }: SettingsPage): string {
  const lines = describe(schema).map(({ says, variables, default: fallback = "" }) => {
    return `${wrap(`${says}.`, "# ")}\n#${variables[0]}=${fallback}\n`;
  });
  return `# --- signalbox ${name} ---\n\n${lines.join("\n")}`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
