import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { CommandError } from "../../../shared/command_line/command_error.ts";
import { type InstallOptions, install, type Machine } from "../../../shared/service/install.ts";
import { isAsSealed } from "../../../shared/service/seal.ts";
import { uninstall } from "../../../shared/service/uninstall.ts";
import { ScratchFolder } from "../../support/scratch_folder.ts";

/** Somebody's own services, in a folder that stands for the home: as `--user` does it on Linux and on macOS. */
function stand(folder: ScratchFolder, machine: Partial<Machine> = {}) {
  const ran: string[] = [];
  let said: string[] = [];
  const listening = (act: () => void): string[] => {
    said = [];
    act();
    return said;
  };
  const host: Machine = {
    platform: "linux",
    uid: 501,
    env: { HOME: folder.path },
    run: (command) => {
      ran.push(command.join(" "));
      return undefined;
    },
    say: (line) => said.push(line),
    ...machine,
  };
  const options: InstallOptions = {
    role: "serve",
    scope: "user",
    root: "/",
    workerName: "attic",
    program: ["/usr/local/bin/signalbox"],
    start: false,
    force: false,
  };
  return {
    ran,
    said: () => said,
    install: (changes: Partial<InstallOptions> = {}) =>
      listening(() => install({ ...options, ...changes }, host)),
    uninstall: (changes: Partial<InstallOptions> = {}) =>
      listening(() => uninstall({ ...options, ...changes }, host)),
  };
}

const UNIT = ".config/systemd/user/signalbox.service";
const SETTINGS = ".config/signalbox/serve.env";
const SECRET = ".config/signalbox/worker-secret";

test("a relay's service gets its unit, settings to begin with and new secrets, and says what is next", () => {
  using folder = new ScratchFolder();
  const { install, ran } = stand(folder);
  const said = install().join("\n");
  assert.ok(isAsSealed(folder.read(UNIT)));
  assert.match(folder.read(SETTINGS), /^#SIGNALBOX_API_KEYS_FILE=\S+\/\.config\/signalbox\/keys\.toml$/m);
  assert.match(folder.read(SECRET), /^[0-9a-f]{64}\n$/);
  assert.notEqual(folder.read(SECRET), folder.read(".config/signalbox/admin-token"));
  assert.deepEqual(
    [SECRET, SETTINGS].map((path) => statSync(folder.at(path)).mode & 0o777),
    [0o600, 0o600],
  );
  assert.deepEqual(ran, ["systemctl --user daemon-reload"]);
  for (const path of [UNIT, SETTINGS, SECRET]) assert.ok(said.includes(`wrote ${folder.at(path)}`), said);
  assert.match(said, /next: .*systemctl --user enable signalbox && systemctl --user restart signalbox$/m);
});

test("--start enables and starts it", () => {
  using folder = new ScratchFolder();
  const { install, ran } = stand(folder);
  install({ role: "worker", start: true });
  const unit = "signalbox-worker@attic";
  assert.deepEqual(
    ran.slice(1),
    ["enable", "restart"].map((verb) => `systemctl --user ${verb} ${unit}`),
  );
  assert.ok(folder.has(".config/signalbox/worker-attic.env"));
  // Only the relay knows it.
  assert.ok(!folder.has(SECRET));
});

test("done again it changes nothing; another program updates the unit, and secrets and settings stay", () => {
  using folder = new ScratchFolder();
  const { install } = stand(folder);
  install();
  const secret = folder.read(SECRET);
  folder.write(SETTINGS, "SIGNALBOX_LISTEN=127.0.0.1:9\n");
  assert.match(install()[0]!, /it is up to date/);
  assert.match(install({ program: ["/opt/signalbox"] })[0]!, /^updated /);
  assert.match(folder.read(UNIT), /^ExecStart=\/opt\/signalbox serve$/m);
  assert.equal(folder.read(SECRET), secret);
  assert.equal(folder.read(SETTINGS), "SIGNALBOX_LISTEN=127.0.0.1:9\n");
});

test("a unit that somebody changed is neither overwritten nor removed, unless told to: then a copy stays", () => {
  using folder = new ScratchFolder();
  const { install, uninstall, ran } = stand(folder);
  install();
  const edited = folder.read(UNIT).replace("RestartSec=2s", "RestartSec=9s");
  folder.write(UNIT, edited);
  ran.length = 0;
  const refusal = { name: "CommandError", message: /found it changed$/ };
  assert.throws(() => install({ program: ["/opt/signalbox"] }), refusal);
  assert.throws(() => uninstall(), refusal);
  assert.equal(folder.read(UNIT), edited);
  assert.deepEqual(ran, []);
  install({ force: true });
  assert.ok(isAsSealed(folder.read(UNIT)));
  assert.equal(folder.read(`${UNIT}.old`), edited);
  folder.write(UNIT, edited);
  uninstall({ force: true });
  assert.ok(!folder.has(UNIT));
  assert.equal(folder.read(`${UNIT}.old`), edited);
});

test("uninstalling stops it and removes what was written, but not what has become somebody's", () => {
  using folder = new ScratchFolder();
  const { install, uninstall, ran } = stand(folder);
  install({ role: "worker" });
  install({ role: "worker", workerName: "cellar" });
  folder.write(".config/signalbox/worker-cellar.env", "SIGNALBOX_MODELS=m\n");
  ran.length = 0;
  const said = uninstall({ role: "worker" }).join("\n");
  assert.deepEqual(ran, [
    "systemctl --user stop signalbox-worker@*.service",
    "systemctl --user disable signalbox-worker@.service",
    "systemctl --user daemon-reload",
  ]);
  assert.ok(!folder.has(".config/systemd/user/signalbox-worker@.service"));
  assert.ok(!folder.has(".config/signalbox/worker-attic.env"));
  assert.ok(folder.has(".config/signalbox/worker-cellar.env"));
  assert.match(said, /left \S+worker-cellar\.env: it is yours/);
  assert.match(uninstall({ role: "worker" })[0]!, /^found no /);
});

test("a manager that refuses is named with what it says, after what was done", () => {
  using folder = new ScratchFolder();
  const { install, said } = stand(folder, { run: () => "Failed to connect to bus" });
  assert.throws(() => install(), /Cannot run systemctl --user daemon-reload: Failed to connect to bus/);
  assert.ok(said().includes(`wrote ${folder.at(UNIT)}`));
});

test("when uninstalling, its files go all the same", () => {
  using folder = new ScratchFolder();
  stand(folder).install();
  const said = stand(folder, { run: () => "Failed to connect to bus" })
    .uninstall()
    .join("\n");
  assert.match(said, /which says: Failed to connect to bus/);
  assert.ok(!folder.has(UNIT));
});

test("on macOS it is a launch agent", () => {
  using folder = new ScratchFolder();
  const { install, uninstall, ran } = stand(folder, { platform: "darwin" });
  const agent = "Library/LaunchAgents/signalbox.worker.plist";
  install({ role: "worker", start: true });
  assert.ok(folder.read(agent).includes(`<string>${folder.at(".config/signalbox/worker.env")}</string>`));
  assert.ok(folder.has(".config/signalbox/worker.env"));
  uninstall({ role: "worker" });
  assert.ok(!folder.has(".config/signalbox/worker.env"));
  assert.deepEqual(ran, [
    `launchctl bootstrap gui/501 ${folder.at(agent)}`,
    "launchctl bootout gui/501/signalbox.worker",
  ]);
  assert.ok(!folder.has(agent));
});

const refusals: readonly [string, Partial<Machine>, Partial<InstallOptions>, RegExp][] = [
  ["a machine's service without root", {}, { scope: "system" }, /wanted root, found user 501/],
  ["a machine's service of macOS", { platform: "darwin", uid: 0 }, { scope: "system" }, /of the user only/],
  ["another system", { platform: "win32" }, {}, /wanted systemd \(Linux\) or launchd \(macOS\), found win32/],
  ["no home", { env: {} }, {}, /wanted an absolute path in HOME/],
  [
    "a program that the service cannot see",
    { uid: 0 },
    { scope: "system", program: ["/usr/bin/bun", "/var/tmp/main.ts"] },
    /Cannot install \/var\/tmp\/main\.ts .* sees nothing of \/var\/tmp/,
  ],
];
for (const [name, machine, options, message] of refusals) {
  test(`nothing is written: ${name}`, () => {
    using folder = new ScratchFolder();
    const { install, ran } = stand(folder, machine);
    assert.throws(
      () => install(options),
      (error) => error instanceof CommandError && message.test(error.message),
    );
    assert.deepEqual(ran, []);
    assert.ok(!folder.has(".config"));
  });
}

test("below another root nothing is loaded, and who calls need not be root", () => {
  using folder = new ScratchFolder();
  const { install, uninstall, ran } = stand(folder);
  const image = { scope: "system", root: folder.path } as const;
  install(image);
  assert.ok(folder.has("etc/systemd/system/signalbox.service"));
  assert.match(folder.read("etc/signalbox/serve.env"), /=\/etc\/signalbox\/keys\.toml$/m);
  uninstall(image);
  assert.ok(!folder.has("etc/systemd/system/signalbox.service"));
  assert.deepEqual(ran, []);
});
