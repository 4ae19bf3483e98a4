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

const LISTENING: [error: Error, told: string][] = [
  [new PortInUse("Cannot listen on 127.0.0.1:8080 as …"), "Cannot listen on 127.0.0.1:8080 as …"],
  [
    Object.assign(new Error("x"), { code: "EADDRNOTAVAIL" }),
    "Cannot listen: this machine does not have that address",
  ],
  [Object.assign(new Error("x"), { code: "EACCES" }), "Cannot listen: permission denied"],
  [
    Object.assign(new Error("x"), { code: "ENOTTY", syscall: "listen" }),
    "Cannot listen: the name is no address of this machine",
  ],
  [
    Object.assign(new Error("getaddrinfo ENOTFOUND x"), { code: "ENOTFOUND", syscall: "getaddrinfo" }),
    "Cannot listen: the name is no address of this machine",
  ],
];

test("an address that cannot be had is wrong input", () => {
  for (const [error, told] of LISTENING) {
    const [code, text] = report(error);
    const [first, second, ...more] = text.split("\n");
    assert.deepEqual([code, first, more], [2, `signalbox: error: ${told}`, [""]]);
    assert.match(second ?? "", /^signalbox: hint: ./);
  }
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
