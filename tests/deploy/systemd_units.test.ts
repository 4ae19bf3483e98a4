import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { serviceFiles } from "../../docs/service_files.ts";
import { systemdUnit } from "../../shared/service/systemd_unit.ts";
import { locate, PROJECT_FILES, read } from "../architecture/source_tree.ts";
import { runProgram } from "../support/program.ts";
import { ScratchFolder } from "../support/scratch_folder.ts";
import { lacks } from "../support/tools.ts";

/** Of 10, where 0 is a service that can do nothing. Above 2 systemd calls it medium. */
const EXPOSURE_MAX = 1.5;

const units = PROJECT_FILES.filter((path) => /^deploy\/systemd\/.*\.service$/.test(path));
const skip = lacks("systemd-analyze");

test("there are two units", () => {
  assert.equal(units.length, 2);
  for (const unit of units)
    assert.ok(
      serviceFiles().some(([path]) => path === unit),
      unit,
    );
});

for (const unit of units) {
  test(`${unit} exposes little of the machine`, { skip }, () => {
    const { stdout, status } = analyze("security", "--offline=yes", "--no-pager", locate(unit));
    assert.equal(status, 0);
    const [, exposure] = /Overall exposure level for \S+: (\d+\.\d+)/.exec(stdout) ?? [];
    assert.ok(Number(exposure) <= EXPOSURE_MAX, stdout);
  });
}

for (const scope of ["system", "user"] as const) {
  test(`systemd finds no mistake in a unit of the ${scope}`, { skip }, () => {
    using folder = new ScratchFolder();
    // What it runs must be there, whatever its name.
    const program = [folder.write("a 100% odd $name", "#!/bin/sh\n", 0o755), 'a "$word" \\'];
    for (const role of ["serve", "worker"] as const) {
      const unit = folder.write(`signalbox-${role}@x.service`, systemdUnit({ role, scope, program }));
      const { stderr, status } = analyze("verify", ...(scope === "user" ? ["--user"] : []), unit);
      const about = stderr.split("\n").filter((line) => line.includes(`signalbox-${role}`));
      assert.deepEqual({ about, status }, { about: [], status: 0 }, stderr);
    }
  });
}

test("every setting of a sample is one of its role, and its example can be read", async () => {
  for (const role of ["serve", "worker"]) {
    const lines = [...read(`deploy/systemd/${role}.env`).matchAll(/^#(SIGNALBOX_\w+)=(.*)$/gm)];
    assert.ok(lines.length >= 4);
    const env = Object.fromEntries(lines.map(([, name, value]) => [name!, value!]));
    const { stdout, stderr } = await runProgram([role, "--print-settings"], { env });
    assert.equal(stderr, "");
    for (const name of Object.keys(env)) assert.match(stdout, new RegExp(` # ${name}$`, "m"));
  }
});

function analyze(...args: string[]) {
  // Where there is no session of a user, one is as good as there.
  const env = { XDG_RUNTIME_DIR: "/tmp", ...process.env };
  return spawnSync("systemd-analyze", args, { encoding: "utf8", env });
}
