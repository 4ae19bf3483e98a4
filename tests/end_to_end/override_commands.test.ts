import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { RouteReport } from "../../server/route_test/report.ts";
import { ReaderFolder } from "../architecture/reader.ts";
import { ADMIN_TOKEN } from "../support/admin_view.ts";
import { noCurl } from "../support/curl.ts";
import { signatureOf } from "../support/override_signature.ts";
import { endpointAt, HOST, KEY, listed, OverrideStand, said } from "../support/override_stand.ts";
import { runProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { CHAT } from "../support/raw_client.ts";

/** `override sign`, `override check` and `route-test --server`, against what a relay then does. */

const LIMIT = { timeout: 30_000 };
const SECRET = "secret-of-an-upstream-0123456789-012";

let provider: RawBackend;
let stand: OverrideStand;
const folder = new ReaderFolder();

before(async () => {
  provider = await RawBackend.start((request) => request.reply(200, "provider"));
  const key = [{ id: "k1", secret: { env: "SIGNING" } }];
  const closed = {
    name: "closed",
    patterns: [`http://closed.example:${provider.port}/v1/**`],
    allow_private: [],
  };
  const endpoint = [listed(provider.port, { provider: "oci" }), listed(provider.port, closed)];
  stand = await OverrideStand.start({ endpoint, key }, { env: { SIGNING: SECRET } });
  folder.write("signing-secret.txt", `${SECRET}\n`);
});

after(async () => {
  folder[Symbol.dispose]();
  await stand?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});

const here = () => endpointAt(provider.port);

async function signed(method: string, target: string, ...flags: string[]): Promise<string> {
  const key = ["--key-id=k1", "--secret-file=signing-secret.txt", `--endpoint=${here()}`];
  const args = ["override", "sign", method, target, ...key, `--server=${stand.relay.url}`, ...flags];
  const { exitCode, stdout, stderr } = await runProgram(args, { cwd: folder.path });
  assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
  return stdout;
}

for (const [method, target] of [
  ["POST", CHAT],
  ["GET", "/v1/a/../it's?q=[1]&r={2}"],
] as const) {
  test(`the curl command for ${method} ${target} works once`, { ...LIMIT, skip: noCurl() }, async () => {
    const command = await signed(method, target, "--model-provider=oci", "--format=curl");
    const run = () => promisify(execFile)("sh", ["-c", `${command.trim()} -sS -q --noproxy '*'`]);
    assert.equal((await run()).stdout, "provider");
    assert.equal(provider.requests.splice(0)[0]?.head.split(" ")[0], method);
    assert.match((await run()).stdout, /was used before/);
    assert.equal(provider.requests.length, 0);
  });
}

test("header lines and JSON say the same", LIMIT, async () => {
  const lines = (await signed("POST", CHAT)).trim().split("\n");
  const json = JSON.parse(await signed("POST", CHAT, "--format=json")) as Record<string, string>;
  for (const fields of [lines.map((line) => line.split(": ")), Object.entries(json)]) {
    const headers = { authorization: "", ...Object.fromEntries(fields) };
    assert.equal(said(await stand.ask(here(), { headers })), "200");
  }
  assert.equal(provider.requests.splice(0).length, 2);
});

/** Of the stand's relay. */
const table = () =>
  JSON.stringify({
    resolver: `127.0.0.1:${stand.dns.port}`,
    listen: "127.0.0.1:0",
    endpoint: [
      listed(provider.port),
      listed(provider.port, {
        name: "closed",
        patterns: [`http://closed.example:${provider.port}/**`],
        allow_private: [],
      }),
    ],
  });

test("override check --resolve tells what would be dialled, and why not", LIMIT, async () => {
  const check = (url: string) =>
    runProgram(["override", "check", url, "--resolve", "--listen=127.0.0.1:8080"], {
      env: { SIGNALBOX_OVERRIDE: table() },
    });
  const open = await check(here());
  assert.deepEqual([open.exitCode, open.stderr], [0, ""]);
  assert.match(open.stdout, /^ {2}addresses {3}127\.0\.0\.1$/m);
  const closed = await check(`http://closed.example:${provider.port}/v1`);
  assert.deepEqual([closed.exitCode, closed.stderr], [1, ""]);
  assert.match(closed.stdout.replaceAll(/\s+/g, " "), /refused .*127\.0\.0\.1 is forbidden \(loopback\)/);
  assert.match(closed.stdout, /^taken by closed, but not dialled/m);
  assert.equal(provider.requests.length, 0);
  assert.ok(stand.dns.questions.includes(`A ${HOST}`));
});

async function routeTest(endpoint: string, ...flags: string[]) {
  const args = ["route-test", "POST", CHAT, `--header=x-provider-endpoint: ${endpoint}`, ...flags];
  const { exitCode, stdout, stderr } = await runProgram([...args, "--json", `--server=${stand.relay.url}`], {
    env: { SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN },
  });
  assert.equal(stderr, "");
  return { exitCode, report: JSON.parse(stdout) as RouteReport };
}

test("route-test verifies a signature at the relay, and leaves it good", LIMIT, async () => {
  const signature = signatureOf({ secret: SECRET, endpoint: here() });
  const shown = `--header=x-provider-signature: ${signature}`;
  const { exitCode, report } = await routeTest(here(), shown);
  assert.equal(exitCode, 0);
  assert.deepEqual(report.override?.trust, { ways: ["signature"], by: "k1", problem: null });
  const headers = { authorization: "", "x-provider-signature": signature };
  assert.equal(said(await stand.ask(here(), { headers })), "200");
  assert.equal(provider.requests.splice(0).length, 1);
  const again = await routeTest(here(), shown);
  assert.match(`${again.report.override?.trust.problem}`, /was used before/);
  assert.equal(again.exitCode, 1);
});

test("route-test finds the relay's keys and patterns, and sends and counts nothing", LIMIT, async () => {
  const before = await stand.counts();
  const key = `--header=Authorization: Bearer ${KEY}`;
  const { report } = await routeTest(here(), key);
  assert.deepEqual(
    [report.decision.type, report.override?.name, report.override?.trust.by],
    ["dispatch", "vllm", "upstream"],
  );
  assert.equal(report.override?.resolved, undefined);
  const questions = stand.dns.questions.length;
  const unlisted = await routeTest("https://nobody.example/v1", key);
  assert.equal(unlisted.report.decision.code, "override_not_listed");
  assert.equal(said(await stand.ask("https://nobody.example/v1")), "403 override_not_listed");
  assert.equal(stand.dns.questions.length, questions);
  assert.deepEqual(await stand.counts(), { ...before, "": { ...before[""], override_not_listed: 1 } });
  assert.equal(provider.requests.length, 0);
});

test("route-test --resolve has the relay look, by its own resolver and rules", LIMIT, async () => {
  const key = `--header=Authorization: Bearer ${KEY}`;
  const open = await routeTest(here(), key, "--resolve");
  assert.deepEqual(
    [open.exitCode, open.report.override?.resolved],
    [0, { addresses: ["127.0.0.1"], problem: null }],
  );
  const closed = await routeTest(`http://closed.example:${provider.port}/v1/x`, key, "--resolve");
  assert.equal(closed.exitCode, 1);
  assert.match(`${closed.report.override?.resolved?.problem}`, /127\.0\.0\.1 is forbidden/);
  assert.equal(provider.requests.length, 0);
});

test("a request that names an endpoint is not recorded", LIMIT, async () => {
  const args = ["route-test", "POST", CHAT, `--header=x-provider-endpoint: ${here()}`, "--record=-"];
  const { exitCode, stdout, stderr } = await runProgram([...args, `--server=${stand.relay.url}`], {
    env: { SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN },
  });
  assert.deepEqual([exitCode, stdout], [2, ""]);
  assert.match(stderr, /error: Cannot record the scenario: its request names an endpoint of its own/);
});

test("nothing of it was served by a worker", LIMIT, () => stand.isWorkerUntouched());
