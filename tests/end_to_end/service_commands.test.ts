import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsIn, OF_A_MACHINE } from "../architecture/fenced_commands.ts";
import { noStand, programThere, runThere } from "../support/systemd_stand.ts";

/** What the manual says to type on a machine with a service manager, typed on one, in its order. */

const PAGES = ["docs/deploy.md", "docs/command-line.md"];
const LIMIT = { timeout: 90_000, skip: noStand() };

/** The one who types is root, and `signalbox` is the program under test. */
const BEGIN = `
cd "$(mktemp -d)"
signalbox() { ${programThere()} "$@"; }
sudo() { "$@"; }
typed() { echo "typed $? $1"; }
until_it() { for i in $(seq 200); do "$@" && return; sleep 0.05; done; echo "waited in vain: $*"; }
`;

/** What somebody does between two commands, who does what the text around them says. */
const BETWEEN: readonly (readonly [command: RegExp, script: string])[] = [
  // "look through the settings and start it"
  [
    /enable --now signalbox-worker@/,
    "echo SIGNALBOX_BACKEND_URL=http://127.0.0.1:8000 >> /etc/signalbox/worker-attic.env",
  ],
];

function script(command: string): string {
  const before = BETWEEN.filter(([pattern]) => pattern.test(command)).map(([, line]) => line);
  // It goes on until it is ended.
  const line = command.startsWith("journalctl")
    ? `${command} > log & until_it grep -qs "listening on" log`
    : command;
  return [...before, line, `typed ${JSON.stringify(command)}`].join("\n");
}

for (const page of PAGES) {
  test(`who follows ${page} has services`, LIMIT, async () => {
    const commands = commandsIn(page)
      .filter(({ run, text }) => run && OF_A_MACHINE.test(text))
      .map(({ text }) => text);
    assert.ok(commands.length > 1);
    const { stdout, stderr } = await runThere(
      `${BEGIN}${commands.map(script).join("\n")}
is_connected() { curl -s http://127.0.0.1:8080/health | grep -q '"workers_connected":1'; }
systemctl -q is-enabled signalbox-worker@attic && until_it is_connected
echo state $(systemctl is-active signalbox signalbox-worker@attic)
ls /etc/systemd/system | grep '^signalbox' | sed 's/^/unit /'`,
    );
    for (const command of commands)
      assert.ok(stdout.includes(`typed 0 ${command}\n`), `${command}\n${stdout}\n${stderr}`);
    assert.doesNotMatch(stdout, /waited in vain/);
    const isLeft = !commands.some((command) => command.includes(" uninstall "));
    assert.match(stdout, isLeft ? /^state active active$/m : /^state inactive inactive$/m);
    assert.equal(/^unit signalbox\.service$/m.test(stdout), isLeft);
  });
}

test("what service install says to type next can be typed", LIMIT, async () => {
  const { stdout, stderr } = await runThere(`${BEGIN}signalbox service install serve > said
eval "$(sed -n 's/^signalbox: next: .*, then //p' said)"
typed next
echo state $(systemctl is-active signalbox) $(systemctl is-enabled signalbox)
eval "$(sed -n 's/^signalbox: its log: //p' said) --no-pager" > log
typed log
grep -o "signalbox: listening on .*" log`);
  assert.match(
    stdout,
    /^typed 0 next\nstate active enabled\ntyped 0 log\nsignalbox: listening on http:/m,
    stderr,
  );
});
