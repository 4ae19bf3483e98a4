import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError } from "../../../shared/command_line/command_error.ts";
import { readText } from "../../../shared/command_line/read_text.ts";
import { reportAndExitCode } from "../../../shared/command_line/report.ts";
import { PortInUse } from "../../../shared/runtime/ports.ts";

function report(error: unknown): [code: number, text: string] {
  let text = "";
  const code = reportAndExitCode(error, (piece) => {
    text += piece;
  });
  return [code, text];
}

test("an error is one line and a hint one, whatever is in them", () => {
  assert.deepEqual(report(new CommandError("Cannot a\nb", "try \u001b[2J")), [
    2,
    "signalbox: error: Cannot a\\u000ab\nsignalbox: hint: try \\u001b[2J\n",
  ]);
  assert.deepEqual(report(new CommandError("Cannot a")), [2, "signalbox: error: Cannot a\n"]);
});

test("a port in use is wrong input", () => {
  const [code, text] = report(new PortInUse("127.0.0.1:8080"));
  assert.equal(code, 2);
  assert.match(
    text,
    /^signalbox: error: Cannot listen: the port is in use \(127\.0\.0\.1:8080\)\nsignalbox: hint: .*\n$/,
  );
});

test("anything else is a fault of ours, shown with its stack", () => {
  const [code, text] = report(new TypeError("x is undefined"));
  assert.equal(code, 1);
  assert.match(
    text,
    /^signalbox: error: x is undefined\nsignalbox: hint: this is a fault[^\n]*\nTypeError|^signalbox/,
  );
  assert.match(text, /report\.test\.ts/);
});

test("readText() says why a file cannot be read", () => {
  assert.throws(() => readText("/no/such"), { message: "Cannot read /no/such: there is no such file" });
  assert.throws(() => readText("/"), { message: "Cannot read /: it is a folder" });
});
