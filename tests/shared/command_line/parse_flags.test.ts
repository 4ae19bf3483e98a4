import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "../../../shared/command_line/nearest.ts";
import { type FlagSpec, parseFlags } from "../../../shared/command_line/parse_flags.ts";

const SPECS: FlagSpec[] = [
  { name: "listen", placeholder: "HOST:PORT" },
  { name: "model", placeholder: "NAME", several: true },
  { name: "verbose", placeholder: "" },
  { name: "help", placeholder: "", short: "h" },
];

const parsed = (...args: string[]) => {
  const { values, rest } = parseFlags(args, SPECS);
  return [Object.fromEntries(values), rest];
};

test("parseFlags() takes values apart or with =, several where allowed, and flags without one", () => {
  assert.deepEqual(parsed("--listen", "a", "--model=b", "--model", "c", "-h", "rest"), [
    { listen: ["a"], model: ["b", "c"], help: ["true"] },
    ["rest"],
  ]);
  assert.deepEqual(parsed("--verbose", "--listen=--x"), [{ verbose: ["true"], listen: ["--x"] }, []]);
  assert.deepEqual(parsed("--no-verbose"), [{ verbose: ["false"] }, []]);
  assert.deepEqual(parsed("--verbose=false", "--", "--listen"), [{ verbose: ["false"] }, ["--listen"]]);
  assert.deepEqual(parsed("--listen", "-"), [{ listen: ["-"] }, []]);
  assert.deepEqual(parsed("--listen="), [{ listen: [""] }, []]);
});

const REFUSED: [args: string[], message: string, hint: string][] = [
  [["--listn", "a"], 'Cannot use "--listn": there is no such flag', "did you mean --listen?"],
  [["--no-listen"], 'Cannot use "--no-listen": there is no such flag', "did you mean --listen?"],
  [["-x"], 'Cannot use "-x": there is no such flag', "--help lists the flags"],
  [["--\u001b[31m"], 'Cannot use "--\\u001b[31m": there is no such flag', "--help lists the flags"],
  [["--listen"], "Cannot read --listen: wanted a value, found nothing", "write --listen HOST:PORT"],
  [
    ["--listen", "--verbose"],
    'Cannot read --listen: wanted a value, found "--verbose"',
    "write --listen=--verbose if that is the value",
  ],
  [["--listen", "a", "--listen", "b"], "Cannot use --listen twice", "leave one of them out"],
];

test("parseFlags() refuses what it does not understand, with a hint", () => {
  for (const [args, message, hint] of REFUSED) {
    assert.throws(() => parseFlags(args, SPECS), { name: "CommandError", message, hint }, args.join(" "));
  }
});

test("nearest() finds a slip, and nothing where all is different", () => {
  const words = ["queue-timeout", "request-timeout", "listen", "models"];
  assert.equal(nearest("queue-timeot", words), "queue-timeout");
  assert.equal(nearest("lisetn", words), "listen");
  assert.equal(nearest("MODEL", words), "models");
  assert.equal(nearest("provider", words), undefined);
  assert.equal(nearest("", words), undefined);
});
