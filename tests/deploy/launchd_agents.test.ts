import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { launchdPlist } from "../../shared/service/launchd_plist.ts";
import { ROLES, STOP_TIMEOUT_S } from "../../shared/service/service.ts";
import { PROJECT_FILES, read } from "../architecture/source_tree.ts";
import { ScratchFolder } from "../support/scratch_folder.ts";
import { lacks } from "../support/tools.ts";

/** There is no macOS where the tests are; Python has a reader of its property lists, strict where launchd is. */

const skip = lacks("python3");
const READ = "import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";

interface Agent {
  Label: string;
  ProgramArguments: [string, ...string[]];
  EnvironmentVariables: Record<string, string>;
  RunAtLoad: boolean;
  KeepAlive: boolean;
  ExitTimeOut: number;
  SoftResourceLimits: { NumberOfFiles: number };
  StandardOutPath: string;
  StandardErrorPath: string;
}

function parse(input: string): Agent {
  const { stdout, stderr } = spawnSync("python3", ["-c", READ], { input, encoding: "utf8" });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

test("the launch agents are property lists of what launchd.plist(5) knows", { skip }, () => {
  const files = PROJECT_FILES.filter((path) => path.startsWith("deploy/launchd/"));
  assert.equal(files.length, ROLES.length);
  for (const file of files) {
    const { Label, ProgramArguments, EnvironmentVariables, ...rest } = parse(read(file));
    assert.equal(file, `deploy/launchd/${Label}.plist`);
    assert.ok(ProgramArguments.length > 1);
    assert.ok(Object.values(EnvironmentVariables).every((value) => typeof value === "string"));
    const log = `/YOUR_HOME/Library/Logs/${Label.replace(".", "-")}.log`;
    assert.deepEqual(rest, {
      RunAtLoad: true,
      KeepAlive: true,
      ExitTimeOut: STOP_TIMEOUT_S,
      SoftResourceLimits: { NumberOfFiles: 65536 },
      StandardOutPath: log,
      StandardErrorPath: log,
    });
  }
});

test("what launchd is to start is the program, with its words, its settings and its secrets' files", {
  skip,
}, () => {
  for (const role of ROLES) {
    using home = new ScratchFolder();
    const odd = `a & <b> "c" 'd' $e \\`;
    const show = '#!/bin/sh\nprintf "%s\\n" "$@" "$SIGNALBOX_PROVIDER" "$SIGNALBOX_WORKER_SECRET_FILE"\n';
    const program = [home.write(`${odd}/program`, show, 0o755), odd];
    home.write(`${odd}/.config/signalbox/${role}.env`, `# Settings\nSIGNALBOX_PROVIDER='my home'\n`);
    const agent = parse(launchdPlist({ role, scope: "user", program }, home.at(odd)));
    const [command, ...args] = agent.ProgramArguments;
    const { stdout, stderr } = spawnSync(command, args, {
      env: agent.EnvironmentVariables,
      encoding: "utf8",
    });
    const secret = join(home.at(odd), ".config/signalbox/worker-secret");
    assert.deepEqual({ stdout, stderr }, { stdout: `${odd}\n${role}\nmy home\n${secret}\n`, stderr: "" });
  }
});
