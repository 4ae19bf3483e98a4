import assert from "node:assert/strict";
import { test } from "node:test";
import { isAsSealed } from "../../shared/service/seal.ts";
import { read } from "../architecture/source_tree.ts";
import { runProgram } from "../support/program.ts";
import { ScratchFolder } from "../support/scratch_folder.ts";

/** `signalbox service`, as somebody types it. */

const PROGRAM = ["--program", "/usr/local/bin/signalbox"];

const printed: readonly [path: string, args: readonly string[]][] = [
  ["deploy/systemd/signalbox.service", ["--manager", "systemd"]],
  ["deploy/systemd/signalbox-worker@.service", ["worker", "--manager", "systemd"]],
  ["deploy/launchd/signalbox.serve.plist", ["serve", "--user", "--manager", "launchd"]],
  ["deploy/launchd/signalbox.worker.plist", ["worker", "--user", "--manager", "launchd"]],
];
for (const [path, args] of printed) {
  test(`service print ${args.join(" ")} prints ${path}`, async () => {
    const { exitCode, stdout, stderr } = await runProgram(["service", "print", ...args, ...PROGRAM], {
      env: { HOME: "/YOUR_HOME" },
    });
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
    assert.equal(stdout, read(path));
  });
}

test("what is printed without --program starts the program that was called", async () => {
  const { stdout } = await runProgram(["service", "print", "--manager", "systemd"]);
  const [, words = ""] = /^ExecStart=(.*) serve$/m.exec(stdout) ?? [];
  const [executable = "", ...more] = words.split(" ");
  const { exitCode, stdout: version } = await runProgram([...more, "--version"], { executable });
  assert.equal(exitCode, 0);
  assert.match(version, /^signalbox \d/);
});

test("a service comes and goes, and systemctl is called for it", { skip: notHere() }, async () => {
  using folder = new ScratchFolder();
  folder.write("bin/systemctl", `#!/bin/sh\necho "$*" >> "${folder.at("called")}"\n`, 0o755);
  const env = { HOME: folder.path, PATH: `${folder.at("bin")}:${process.env.PATH}` };
  const service = (...args: string[]) => runProgram(["service", ...args, "--user"], { env });
  const unit = ".config/systemd/user/signalbox-worker@.service";

  const installed = await service("install", "worker", "--worker-name", "attic", "--start", ...PROGRAM);
  assert.deepEqual([installed.exitCode, installed.stderr], [0, ""]);
  assert.ok(installed.stdout.startsWith(`signalbox: wrote ${folder.at(unit)}\n`), installed.stdout);
  assert.ok(isAsSealed(folder.read(unit)));

  folder.write(unit, `${folder.read(unit)}# mine\n`);
  const refused = await service("uninstall", "worker");
  assert.equal(refused.exitCode, 2);
  assert.match(
    refused.stderr,
    /error: Cannot remove \S+: wanted it as .* found it changed\n.*hint: .*--force/,
  );

  const removed = await service("uninstall", "worker", "--force");
  assert.equal(removed.exitCode, 0);
  assert.deepEqual(folder.read("called").split("\n"), [
    "--user daemon-reload",
    "--user enable signalbox-worker@attic",
    "--user restart signalbox-worker@attic",
    "--user stop signalbox-worker@*.service",
    "--user disable signalbox-worker@.service",
    "--user daemon-reload",
    "",
  ]);
});

test("an instance's name is one that systemctl takes, and a role one of two", async () => {
  const named = await runProgram(["service", "install", "worker", "--worker-name", "../x"]);
  assert.match(named.stderr, /Cannot read --worker-name: "..\/x" cannot be the name of a service/);
  const role = await runProgram(["service", "install", "relay"]);
  assert.match(role.stderr, /wanted serve or worker/);
  assert.deepEqual([named.exitCode, role.exitCode], [2, 2]);
});

function notHere(): string | undefined {
  return process.platform === "linux" ? undefined : "needs Linux";
}
