import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { program } from "../../main.ts";
import { flagsFor } from "../../shared/command_line/run.ts";
import { startDemoBackend } from "../../worker/demo/backend.ts";
import { canMakeCertificates } from "../support/certificates.ts";
import { noCurl } from "../support/curl.ts";
import { runProgram } from "../support/program.ts";
import { commandsIn } from "./fenced_commands.ts";
import { Reader, ReaderFolder } from "./reader.ts";
import { read } from "./source_tree.ts";

/** What README says to type can be typed, and does what README says. */

const commands = commandsIn("README.md");
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

test("README has commands of every kind", () => {
  const texts = commands.map(({ text }) => text).join("\n");
  for (const word of ["npm start", "npm test", " serve ", " worker ", "curl "])
    assert.ok(texts.includes(word));
  assert.ok(commands.filter(({ run }) => run).length >= 5);
});

test("every command of README can be read by what it is for", async () => {
  using folder = new ReaderFolder();
  folder.write("worker-secret.txt", "a secret of the reader\n");
  for (const { text, args } of commands) {
    execFileSync("sh", ["-n", "-c", text]);
    const script = /^npm (?:run )?(\S+)$/.exec(text)?.[1];
    if (script) assert.ok(script in scripts, text);
    if (!args) continue;
    const printing = args.includes("--print-settings") ? args : [...args, "--print-settings"];
    const { exitCode, stderr } = await runProgram(printing, { cwd: folder.path });
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" }, text);
  }
});

test("every flag that README names is one of the program", async () => {
  const known = new Set(["help", "print-settings"]);
  for (const { open } of program.commands) for (const { name } of flagsFor(await open())) known.add(name);
  const named = [...read("README.md").matchAll(/`--([\w-]+)/g)].map(([, name]) => name!);
  assert.ok(named.length > 5);
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
});

const lacking = noCurl() ?? (canMakeCertificates() ? undefined : "needs openssl");

test("who follows README gets answers", { skip: lacking }, async () => {
  const backend = await startDemoBackend();
  try {
    await using reader = new Reader(`http://127.0.0.1:${backend.port}`);
    for (const command of commands.filter(({ text, run }) => run || text === "npm start")) {
      const printed = await reader.type(command);
      if (command.text.startsWith("curl")) assert.match(printed, /"model":"demo".*through/s, command.text);
    }
  } finally {
    await backend.stop(true);
  }
});
