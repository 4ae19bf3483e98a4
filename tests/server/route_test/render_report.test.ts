import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { dryRun } from "../../../server/route_test/dry_run.ts";
import { renderReport } from "../../../server/route_test/render_report.ts";
import { requestSchema } from "../../../server/route_test/scenario_schema.ts";
import { testRequest } from "../../../server/route_test/test_request.ts";
import type { CommandIo } from "../../../shared/command_line/command.ts";
import { styleOf } from "../../../shared/command_line/style.ts";
import { fleetOf, type WorkerFacts } from "../routing/fleet_builder.ts";

/** How it looks as a whole is in `tests/command_line/transcripts/route_test.txt` and its neighbours. */

const io = (columns?: number, env: Record<string, string> = {}) =>
  ({ terminal: columns === undefined ? undefined : { columns }, env }) as CommandIo;

function rendered(workers: WorkerFacts[], table: object = {}, style = styleOf("auto", io())): string {
  const request = testRequest(requestSchema.parse({ path: "/v1/chat", model: "m", ...table }));
  return renderReport(dryRun(request, fleetOf(workers)), style);
}

test("renderReport() lists so many of a kind, and counts the rest", () => {
  const text = rendered(Array.from({ length: 100 }, (_, at) => ({ models: [at % 2 ? "m" : "n"] })));
  assert.equal(text.match(/and 10 more: --json lists all of them/g)?.length, 2);
});

test("renderReport() lets nothing foreign drive the terminal", () => {
  const text = rendered([{ name: "a\u001b[2Jb", provider: "p\nq" }], { model: "m\u001b[1m" });
  assert.doesNotMatch(text, /\u001b/);
  assert.match(text, /a\\u001b\[2Jb/);
  assert.match(text, /p\\u000aq/);
});

test("renderReport() keeps within the columns, words that are longer aside", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "-"), minLength: 1, maxLength: 30 });
  const worker = fc.record({
    name: word,
    provider: word,
    models: fc.uniqueArray(fc.oneof(word, fc.constant("m")), { maxLength: 8 }),
    inFlight: fc.integer({ min: 0, max: 2 }),
  });
  const path = fc.constantFrom("/v1/chat", "/v1/models/x");
  fc.assert(
    fc.property(
      fc.array(worker, { maxLength: 6 }),
      path,
      fc.integer({ min: 80, max: 120 }),
      (workers, path, columns) => {
        const style = styleOf("always", io(columns));
        const lines = stripVTControlCharacters(
          rendered(workers, { path, provider: { order: ["home"], alow: 1 } }, style),
        ).split("\n");
        for (const line of lines)
          assert.ok(
            line.length <= columns ||
              line
                .trim()
                .split(/ {2,}/)
                .some((cell) => cell.length > 18),
            line,
          );
        for (const line of lines) assert.equal(line, line.trimEnd());
      },
    ),
  );
});

test("styleOf() colours a terminal only, and only where they are wanted", () => {
  const coloured = (color: "auto" | "always" | "never", who: CommandIo) =>
    styleOf(color, who).bad("x") !== "x";
  assert.equal(coloured("auto", io(80)), true);
  assert.equal(coloured("auto", io()), false);
  assert.equal(coloured("auto", io(80, { NO_COLOR: "1" })), false);
  assert.equal(coloured("auto", io(80, { NO_COLOR: "" })), true);
  assert.equal(coloured("auto", io(80, { TERM: "dumb" })), false);
  assert.equal(coloured("always", io(undefined, { NO_COLOR: "1" })), true);
  assert.equal(coloured("never", io(80)), false);
});

test("styleOf() writes 80 columns into a pipe, and no less than 60 and no more than 120 on a terminal", () => {
  const columns = [io(), io(0), io(40), io(100), io(300)].map((who) => styleOf("auto", who).columns);
  assert.deepEqual(columns, [80, 60, 60, 100, 120]);
});
