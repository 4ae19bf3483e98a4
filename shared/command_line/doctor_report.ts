import type { CommandIo } from "./command.ts";
import type { Finding, Level } from "./findings.ts";
import { EXIT_FAILED } from "./report.ts";
import { type Paint, type Style, styleOf } from "./style.ts";
import { hanging } from "./text_columns.ts";

/** The checks of one command. Each is made when the one before was told, so that a slow one is seen to run. */
export interface Examination {
  /** `serve`, `worker` */
  readonly role: string;
  readonly findings: AsyncIterable<Finding>;
}

export interface DoctorOutput {
  json: boolean;
  color: "auto" | "always" | "never";
}

/** Tell what was found, a line for each as it comes. Gives the exit code: 1 when there is a problem. */
export async function tellFindings(
  examinations: readonly Examination[],
  { json, color }: DoctorOutput,
  io: CommandIo,
): Promise<number> {
  const told: (Finding & { role: string })[] = [];
  const style = styleOf(color, io);
  for (const { role, findings } of examinations) {
    if (!json) io.out(`${told.length > 0 ? "\n" : ""}${style.strong(`signalbox ${role}`)}\n`);
    for await (const finding of findings) {
      told.push({ role, ...finding });
      if (!json) io.out(render(finding, style));
    }
  }
  const count = (level: Level) => told.filter((finding) => finding.level === level).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  if (json) io.out(`${JSON.stringify({ findings: told, problems, warnings }, undefined, 2)}\n`);
  else io.out(`\n${summary(problems, warnings, style)}\n`);
  return problems > 0 ? EXIT_FAILED : 0;
}

const LEVEL_CHARS = "problem".length;
const CHECK_CHARS = 10;

function render({ level, check, found, hint }: Finding, style: Style): string {
  const { columns } = style;
  const paints: Record<Level, Paint> = { ok: style.good, warning: style.warning, problem: style.bad };
  const label = `  ${level.padEnd(LEVEL_CHARS)}  ${check.padEnd(CHECK_CHARS)}  `;
  const lines = hanging(label, found, {
    columns,
    paintLabel: (text) => text.replace(level, paints[level](level)),
  });
  if (hint !== undefined)
    lines.push(...hanging(`${" ".repeat(label.length)}hint: `, hint, { columns, paintLabel: style.faint }));
  return lines.map((line) => `${line}\n`).join("");
}

function summary(problems: number, warnings: number, style: Style): string {
  const told = [
    ...(problems > 0 ? [style.bad(amount(problems, "problem"))] : []),
    ...(warnings > 0 ? [style.warning(amount(warnings, "warning"))] : []),
  ];
  return told.length > 0 ? told.join(", ") : style.good("no problems");
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
