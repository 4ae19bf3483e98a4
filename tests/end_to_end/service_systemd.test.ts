import assert from "node:assert/strict";
import { test } from "node:test";
import { noStand, programThere, runThere } from "../support/systemd_stand.ts";

/** Services under a real systemd, in their whole sandbox. */

const skip = noStand();

/** What the scripts have in common. */
const BEGIN = `
set -u
signalbox() { ${programThere()} "$@"; }
say() { printf '\\n== %s\\n' "$1"; }
drop_in() { mkdir -p /etc/systemd/system/signalbox.service.d
  printf '[Service]\\n%b' "$1" > /etc/systemd/system/signalbox.service.d/test.conf; systemctl daemon-reload; }
# until_it N COMMAND: tries it for N seconds.
until_it() { for i in $(seq $(($1 * 20))); do "\${@:2}" && return; sleep 0.05; done; echo "waited in vain: \${*:2}"; }
`;

/** What a script printed, by the words of its \`say\`. */
async function sections(script: string): Promise<Map<string, string>> {
  const { stdout, stderr } = await runThere(BEGIN + script);
  assert.ok(stdout.includes("== end"), `${stdout}\n${stderr}`);
  return new Map(
    stdout
      .split(/^== /m)
      .slice(1)
      .map((text) => [text.split("\n")[0]!, text.slice(text.indexOf("\n") + 1).trim()]),
  );
}

test("relay and worker run as services, each in its sandbox and with its secret", { skip }, async () => {
  const said = await sections(`
say serve; signalbox service install serve --start
say worker; signalbox service install worker --worker-name attic
echo SIGNALBOX_BACKEND_URL=http://127.0.0.1:8000 >> /etc/signalbox/worker-attic.env
systemctl enable --now -q signalbox-worker@attic
is_there() { curl -s http://127.0.0.1:8080/health | grep -q '"workers_connected":1'; }
until_it 10 is_there
say workers; curl -s -H "Authorization: Bearer $(cat /etc/signalbox/admin-token)" http://127.0.0.1:8080/admin/workers
say refused; curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/admin/workers
say state; systemctl show signalbox signalbox-worker@attic -p ActiveState,NRestarts,DynamicUser
say enabled; systemctl is-enabled signalbox signalbox-worker@attic
say user; stat -c %u /proc/$(systemctl show -P MainPID signalbox)
say uninstall; signalbox service uninstall worker; signalbox service uninstall serve
say left; ls /etc/signalbox; systemctl show signalbox -p ActiveState; ls /etc/systemd/system | grep signalbox
say end`);
  assert.match(said.get("serve")!, /ran systemctl restart signalbox$/m);
  assert.match(said.get("workers")!, /"worker_name":"attic"/);
  assert.equal(said.get("refused"), "403");
  assert.equal(said.get("state")!.match(/ActiveState=active|NRestarts=0|DynamicUser=yes/g)?.length, 6);
  assert.equal(said.get("enabled"), "enabled\nenabled");
  assert.ok(Number(said.get("user")) >= 61184, "one of those that systemd makes up");
  assert.equal(said.get("left"), "admin-token\nworker-attic.env\nworker-secret\nActiveState=inactive");
});

test("a stop lasts as long as the program asks for: an answer is finished", { skip }, async () => {
  const said = await sections(`
signalbox service install serve > /dev/null
signalbox service install worker --worker-name attic > /dev/null
echo SIGNALBOX_DRAIN_TIMEOUT=20s >> /etc/signalbox/serve.env
echo SIGNALBOX_BACKEND_URL=http://127.0.0.1:8000 >> /etc/signalbox/worker-attic.env
drop_in 'TimeoutStopSec=1s\\n'
cat > /tmp/backend.py <<'P'
import http.server, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()
        for number in range(6):
            self.wfile.write(b"event %d\\n" % number)
            time.sleep(0.5)
    def do_GET(self):
        self.send_error(404)
http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Slow).serve_forever()
P
python3 /tmp/backend.py 2> /dev/null &
until_it 10 curl -s -o /dev/null http://127.0.0.1:8000/
systemctl start signalbox signalbox-worker@attic
ask() { curl -sN -d '{"model":"m"}' http://127.0.0.1:8080/slow > /tmp/answer; echo $? > /tmp/code; }
is_connected() { curl -s http://127.0.0.1:8080/health | grep -q '"workers_connected":1'; }
until_it 10 is_connected
ask & asking=$!
until_it 10 grep -q 'event 0' /tmp/answer
say early; cat /tmp/answer
systemctl stop signalbox; wait $asking
say answer; cat /tmp/answer
say code; cat /tmp/code
say state; systemctl show signalbox -p Result,ExecMainStatus
say end`);
  assert.doesNotMatch(said.get("early")!, /event 5/);
  assert.equal(said.get("answer"), [0, 1, 2, 3, 4, 5].map((number) => `event ${number}`).join("\n"));
  assert.equal(said.get("code"), "0");
  assert.deepEqual(said.get("state")!.split("\n").sort(), ["ExecMainStatus=0", "Result=success"]);
});

test("the watchdog is fed, and starts a relay again that hangs; wrong settings are not tried again", {
  skip,
}, async () => {
  const said = await sections(`
signalbox service install serve > /dev/null
drop_in 'WatchdogSec=1s\\nRestartSec=100ms\\n'
systemctl start signalbox
first=$(systemctl show -P WatchdogTimestampMonotonic signalbox)
is_fed() { [ $(($(systemctl show -P WatchdogTimestampMonotonic signalbox) - first)) -gt 2000000 ]; }
until_it 10 is_fed
say fed; systemctl show signalbox -p NRestarts
kill -STOP $(systemctl show -P MainPID signalbox)
is_again() { systemctl show signalbox -p NRestarts,ActiveState | tr '\\n' ' ' | grep -q 'NRestarts=1 ActiveState=active'; }
until_it 10 is_again
say again; systemctl show signalbox -p NRestarts
echo SIGNALBOX_LISTEN=nonsense >> /etc/signalbox/serve.env
systemctl restart signalbox 2> /dev/null
is_over() { [ "$(systemctl show -P ActiveState signalbox)" = failed ]; }
until_it 10 is_over
say wrong; systemctl show signalbox -p NRestarts,ExecMainStatus; journalctl -o cat -u signalbox | grep error:
say end`);
  assert.equal(said.get("fed"), "NRestarts=0");
  assert.equal(said.get("again"), "NRestarts=1");
  assert.match(said.get("wrong")!, /^NRestarts=0$/m);
  assert.match(said.get("wrong")!, /^ExecMainStatus=2$/m);
  assert.match(said.get("wrong")!, /Cannot read SIGNALBOX_LISTEN: "nonsense" is not/);
});
