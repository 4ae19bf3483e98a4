import { z } from "zod";
import { describe, type Setting, type SettingsSchema } from "../settings/describe.ts";
import { toToml } from "../settings/print.ts";
import { wrap } from "./help.ts";

/**
 * A settings file to fill in: each setting with its sentence and its default, behind a `#`. A word in capitals stands
 * where there is no default.
 */
export function configFile(command: string, schema: SettingsSchema): string {
  const groups = Map.groupBy(describe(schema), ({ group }) => group);
  const sections = [...groups].map(([group, settings]) => {
    const entries = settings.map(
      (setting) => `${wrap(`${setting.says}.`, "# ")}\n${lineOf(setting, schema)}\n`,
    );
    return `# --- ${group} ---\n\n${entries.join("\n")}`;
  });
  const head =
    `# Settings of \`signalbox ${command}\`: signalbox ${command} --config THIS_FILE\n` +
    "# Take away the # of a line to set it; flags and variables are stronger.\n" +
    `# \`signalbox config check ${command} --config THIS_FILE\` tells of mistakes.\n`;
  return [head, ...sections].join("\n");
}

/** A secret best stands in a file of its own. */
function lineOf({ property, tomlKey, kind }: Setting, schema: SettingsSchema): string {
  if (kind.secret) return `#${tomlKey}_file = "FILE"`;
  const value = (schema.shape[property] as z.ZodType).parse(undefined);
  if (value !== undefined) return `#${tomlKey} = ${toToml(z.encode(kind.codec, value))}`;
  if (kind.placeholder === "") return `#${tomlKey} = true`;
  const [word] = kind.choices ?? [kind.placeholder];
  return `#${tomlKey} = ${word === "JSON" ? "{}" : toToml(kind.several ? [word] : word)}`;
}
