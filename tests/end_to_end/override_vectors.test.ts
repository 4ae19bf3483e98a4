import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { whyForbidden } from "../../server/provider/addresses.ts";
import vectors from "../server/routing/override_vectors.json" with { type: "json" };
import { Canary } from "../support/canary.ts";
import { type Certificate, canMakeCertificates, TestAuthority } from "../support/certificates.ts";
import { KINDS, type Kind } from "../support/override_kinds.ts";
import { LOOPBACK, OverrideStand } from "../support/override_stand.ts";
import { type BackendRequest, RawBackend } from "../support/raw_backend.ts";
import type { RequestText } from "../support/raw_client.ts";

/**
 * The vectors of issue 5 on a running relay, each on five kinds of request. Each vector is an endpoint of its own with
 * a key that is limited to it. Names lead to loopback, and but for the vectors about DNS loopback is open to them: the
 * URL alone decides whether a canary there is reached.
 *
 * The vectors' own ports are mostly 443, where a test can have no server. So each is sent twice: as it is, where one
 * that is accepted is seen to be taken to its provider (its name was resolved, `X-Signalbox-Provider` says whose it
 * was) and nobody is at home; and with a port of the test in URL and pattern, where it must arrive as it was given.
 */

interface Vector {
  name: string;
  header_value: string;
  allowlist: string[];
  expect: string;
  why: string;
  dns?: string[];
  allow_private?: string[];
}
const all: readonly Vector[] = vectors;
const skip = canMakeCertificates() ? false : "there is no openssl to make certificates with";

/** Hosts of the vectors' patterns. */
const NAMES = [
  "*.generativeai.oci.example",
  "inference.generativeai.us-chicago-1.oci.oraclecloud.example",
  "*.googleapis.example",
];
/** On which providers listen in the vectors, or another program may: a canary sits there if the machine allows it. */
const PORTS = [22, 80, 443, 8000, 8443, 8444];
/** Nobody is there. */
const NOBODY = "127.99.99.99";

const folder = mkdtempSync(join(tmpdir(), "signalbox-vectors-"));
let stand: OverrideStand;
let canary: Canary;
let secure: RawBackend;
let plain: RawBackend;

before(async () => {
  if (skip) return;
  using authority = new TestAuthority();
  const names = NAMES.map((name) => `DNS:${name}`).join(",");
  const certificate: Certificate = authority.issue("vectors", names);
  writeFileSync(join(folder, "ca.pem"), authority.pem);
  canary = await Canary.start(PORTS);
  const serve = (request: BackendRequest) => request.send("HTTP/1.1 204 Done\r\n\r\n");
  secure = await RawBackend.start(serve, 0, certificate);
  plain = await RawBackend.start(serve);
  const endpoint = all.flatMap((vector, at) => {
    const allow_private = vector.dns && vector.expect === "reject" ? (vector.allow_private ?? []) : LOOPBACK;
    const moved = movedTo(vector);
    return [
      { name: `v${at}`, patterns: vector.allowlist, allow_private },
      ...(moved ? [{ name: `v${at}-moved`, patterns: moved.allowlist, allow_private }] : []),
    ];
  });
  const named = (value: (name: string) => string | string[]) =>
    Object.fromEntries(endpoint.map(({ name }) => [name, value(name)]));
  stand = await OverrideStand.start(
    { endpoint, ca_file: join(folder, "ca.pem") },
    {
      keys: named(keyOf) as Record<string, string>,
      scopes: named(() => ["override"]) as Record<string, string[]>,
      limits: named((name) => [name]) as Record<string, string[]>,
    },
  );
});

after(async () => {
  rmSync(folder, { recursive: true });
  for (const one of [stand, secure, plain, canary]) await one?.[Symbol.asyncDispose]();
});

test("all vectors are here, and the worker would serve what they ask for", { skip }, async () => {
  assert.equal(all.length, 110);
  assert.equal(all.filter(({ expect }) => expect === "accept").length, 9);
  assert.ok(all.filter((vector) => movedTo(vector)).length > 70);
  await stand.isWorkerUntouched();
});

for (const [at, vector] of all.entries()) {
  test(`${vector.expect} ${vector.name}: ${vector.why}`, { skip }, async () => {
    const accepted = vector.expect === "accept";
    const moved = movedTo(vector);
    for (const kind of KINDS) {
      if (accepted) await isTried(vector, `v${at}`, kind);
      else await isRefused(vector, `v${at}`, kind);
      if (moved && accepted) await arrives(moved, `v${at}-moved`, kind);
      else if (moved) await isRefused(moved, `v${at}-moved`, kind);
    }
    assert.equal(canary.connections, 0);
    assert.equal(stand.worker.requests.length, 0);
  });
}

test("the worker saw nothing of all that", { skip }, () => stand.isWorkerUntouched());

/** Taken to its provider, where nobody is. */
async function isTried(vector: Vector, name: string, kind: Kind): Promise<void> {
  // The public addresses of a vector are not this machine's, so that no test connects to them.
  for (const address of vector.dns ?? [])
    assert.equal(whyForbidden(address, { allowPrivate: [], isOwn: () => false }), undefined);
  const host = new URL(vector.header_value).hostname;
  stand.resolves = () => [NOBODY];
  const asked = stand.dns.questions.length;
  const { status, code, provider } = await kind.ask(stand, request(vector, name));
  if (kind.isUpgrade) return assert.deepEqual([status, code], [501, "upgrade_unsupported"]);
  assert.deepEqual([status, provider], [502, name]);
  if (code !== undefined) assert.equal(code, "provider_unreachable");
  // Its addresses are remembered for the kinds that follow.
  if (kind === KINDS[0]) assert.ok(stand.dns.questions.slice(asked).includes(`A ${host}`));
}

async function arrives(vector: Vector, name: string, kind: Kind): Promise<void> {
  const url = new URL(vector.header_value);
  stand.resolves = () => (vector.dns ? ["127.0.0.1", "::1"] : ["127.0.0.1"]);
  const backend = url.protocol === "https:" ? secure : plain;
  const sent = request(vector, name);
  const { status, code } = await kind.ask(stand, sent);
  const [found, ...more] = backend.requests.splice(0);
  assert.equal(more.length, 0);
  if (kind.isUpgrade) {
    assert.equal(found, undefined);
    return assert.deepEqual([status, code], [501, "upgrade_unsupported"]);
  }
  assert.equal(status, 204, `${code}`);
  const { method, target, headers, body } = await found!.receivedWhole();
  assert.equal(`${url.protocol}//${headers.get("host")}${target}`, vector.header_value);
  assert.deepEqual([method, `${body}`], [kind.request.method, kind.request.body ?? ""]);
  assert.doesNotMatch(found!.head, /x-(provider|model|signalbox)|authorization|sbx_/i);
}

async function isRefused(vector: Vector, name: string, kind: Kind): Promise<void> {
  stand.resolves = () => vector.dns ?? [Canary.ADDRESS];
  const asked = stand.dns.questions.length;
  const { status, code } = await kind.ask(stand, request(vector, name));
  if (vector.dns) {
    const wanted = kind.isUpgrade ? "501 upgrade_unsupported" : "502 provider_unreachable";
    assert.equal(`${status} ${code ?? "provider_unreachable"}`, wanted);
    // The client is not told whether nobody was there or nobody was asked: the log is.
    const why = vector.dns.length > 0 ? "is forbidden" : "";
    const line = new RegExp(`endpoint=${name} .*Cannot (?:use the addresses of|resolve) .*${why}`);
    if (!kind.isUpgrade) await stand.relay.says(line);
    return;
  }
  // An answer without a code is one to HEAD, or what a runtime says itself of a field that no parser takes.
  assert.match(
    `${status} ${code}`,
    /^(?:400 (?:override_invalid|undefined)|403 (?:override_not_listed|undefined))$/,
  );
  assert.equal(stand.dns.questions.length, asked, "no name is looked up");
}

/** Bytes as they are: what is beyond ASCII as UTF-8. */
function request({ header_value }: Vector, name: string): RequestText["headers"] {
  const bytes = /^[\x00-\xff]*$/.test(header_value)
    ? header_value
    : Buffer.from(header_value).toString("latin1");
  return { authorization: `Bearer ${keyOf(name)}`, "x-provider-endpoint": bytes };
}

function keyOf(name: string): string {
  return `sbx_key-of-the-vector-${name}`;
}

/** The same with a port on which the test listens; undefined where it has one that matters, or is no URL. */
function movedTo(vector: Vector): Vector | undefined {
  const accepted = vector.expect === "accept";
  const move = (text: string) => {
    const server = text.startsWith("https:") ? secure : plain;
    const port = accepted ? server.port : canary.port;
    const moved = text.replace(/^(https?:\/\/)([^/?#\\:]+|\[[^\]/]*\])(?::8000)?(?=[/?#\\])/, `$1$2:${port}`);
    return moved === text ? undefined : moved;
  };
  const [value, ...allowlist] = [vector.header_value, ...vector.allowlist].map(move);
  if (value === undefined || allowlist.includes(undefined)) return undefined;
  // One of them is as long as may be.
  const header_value = accepted ? value.slice(0, 2048) : value;
  return { ...vector, header_value, allowlist: allowlist as string[] };
}
