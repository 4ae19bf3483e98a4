import type { CommandIo } from "./command.ts";

/** How output looks: plain, or with a terminal's colours and signs. */
export interface Style {
  readonly columns: number;
  readonly strong: Paint;
  readonly faint: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warning: Paint;
  /** One unit of a bar. */
  readonly bar: string;
  /** Signs, all equally wide. */
  readonly passed: string;
  readonly failed: string;
}

export type Paint = (text: string) => string;

/** Narrower than this, wrapping makes it worse. */
const LEAST_COLUMNS = 60;
/** What a file, a mail or an issue is read with. */
const PIPE_COLUMNS = 80;
/** Longer lines are hard to follow. */
const MOST_COLUMNS = 120;

/** https://no-color.org: set and not empty. */
export function styleOf(color: "auto" | "always" | "never", { terminal, env }: CommandIo): Style {
  const columns = terminal
    ? Math.min(Math.max(terminal.columns || 0, LEAST_COLUMNS), MOST_COLUMNS)
    : PIPE_COLUMNS;
  const wanted = terminal !== undefined && !env.NO_COLOR && env.TERM !== "dumb";
  return color === "always" || (color === "auto" && wanted) ? coloured(columns) : plain(columns);
}

function plain(columns: number): Style {
  const same: Paint = (text) => text;
  return {
    columns,
    ...{ strong: same, faint: same, good: same, bad: same, warning: same },
    bar: "#",
    passed: "ok  ",
    failed: "FAIL",
  };
}

/** https://www.ecma-international.org/publications-and-standards/standards/ecma-48/ 8.3.117 */
function coloured(columns: number): Style {
  const paint =
    (on: number, off: number): Paint =>
    (text) =>
      `\x1b[${on}m${text}\x1b[${off}m`;
  return {
    columns,
    strong: paint(1, 22),
    faint: paint(2, 22),
    good: paint(32, 39),
    bad: paint(31, 39),
    warning: paint(33, 39),
    bar: "█",
    passed: "✓",
    failed: "✗",
  };
}
