import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { curl, headOf, noCurl } from "../support/curl.ts";
import { EchoBackend, sha256, valuesOf } from "../support/echo_backend.ts";
import { KeysFile } from "../support/keys_file.ts";
import { cannotOverPlain, LINK_FORM } from "../support/link_form.ts";
import { Pair } from "../support/pair.ts";

/** Whatever curl sends reaches the backend as it was sent. */
const LIMIT = { timeout: 20_000 };
const OF_BYTES = { ...LIMIT, skip: cannotOverPlain("text") };
const KEY = "sbx_key_of_carol_0123456789";

describe("requests of curl", { skip: noCurl() }, () => {
  let backend: EchoBackend;
  let pair: Pair;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "signalbox-curl-"));
    backend = await EchoBackend.start();
    pair = await Pair.start(backend.url);
  });

  after(async () => {
    await pair?.[Symbol.asyncDispose]();
    await backend?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Send a request and give what the backend received. */
  async function send(path: string, args: string[] = [], stdin?: Uint8Array) {
    const answer = await curl([pair.url + path, ...args], stdin);
    assert.equal(headOf(answer).status, 200, answer.body.toString());
    return backend.take();
  }

  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT"]) {
    test(`${method} with a query`, LIMIT, async () => {
      const target = "/a%2Fb/c%20d?x=%2F&y=2&y=1&empty=&flag&plus=a+b&utf=%C3%A9&raw=%ff";
      const received = await send(target, method === "HEAD" ? ["-I"] : ["-X", method]);
      assert.deepEqual([received.method, received.target, received.length], [method, target, 0]);
    });
  }

  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]) {
    test(`${method} with a body that is no text`, OF_BYTES, async () => {
      const body = randomBytes(5000);
      const args = ["-X", method, "-H", "Content-Type: application/octet-stream", "--data-binary", "@-"];
      const received = await send("/upload", args, body);
      assert.deepEqual([received.method, received.sha256], [method, sha256(body)]);
      assert.deepEqual(valuesOf(received, "content-length"), ["5000"]);
    });
  }

  const targets: [written: string, forwarded: string][] = [
    ["/dir/", "/dir/"],
    ["/dir", "/dir"],
    ["//double//slash", "//double//slash"],
    ["/a/../b/./c", "/b/c"],
    ["/a/b/..", "/a/"],
    ["/../../etc/passwd", "/etc/passwd"],
    ["/a/%2e%2e/b", "/b"],
    ["/a/..%2fb", "/a/..%2fb"],
    ["/a;v=1/b:c@d,e!$&'()*+=", "/a;v=1/b:c@d,e!$&'()*+="],
    ["/q?a=../b&c=./d", "/q?a=../b&c=./d"],
    ["/q?", "/q?"],
    ["/q??a=?b", "/q??a=?b"],
    [`/long?q=${"0123456789".repeat(800)}`, `/long?q=${"0123456789".repeat(800)}`],
  ];
  for (const [written, forwarded] of targets) {
    test(`the path ${written.slice(0, 40)}`, LIMIT, async () => {
      assert.equal((await send(written, ["--path-as-is", "-g"])).target, forwarded);
    });
  }

  test("a multipart upload keeps its boundary and every byte", OF_BYTES, async () => {
    const bytes = randomBytes(300_000);
    const file = join(folder, "weights.bin");
    writeFileSync(file, bytes);
    let body = Buffer.alloc(0);
    let type = "";
    backend.on("/multipart", async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      body = Buffer.concat(parts);
      type = request.headers["content-type"]!;
      response.end("ok");
    });
    const form = ["-F", "purpose=fine-tune", "-F", `file=@${file};type=application/x-thing`];
    assert.equal(headOf(await curl([`${pair.url}/multipart`, ...form])).status, 200);
    const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(type)![1]!;
    const parts = body.toString("latin1").split(`--${boundary}`);
    assert.deepEqual([parts.length, parts[0], parts[3]], [4, "", "--\r\n"]);
    const start = parts[2]!.indexOf("\r\n\r\n") + 4;
    assert.match(parts[2]!.slice(0, start), /filename="weights.bin".*application\/x-thing/s);
    assert.equal(sha256(Buffer.from(parts[2]!.slice(start, -2), "latin1")), sha256(bytes));
  });

  test("an upload without a length, from standard input", OF_BYTES, async () => {
    const bytes = randomBytes(1_500_000);
    const received = await send("/stdin", ["-T", "-"], bytes);
    assert.deepEqual([received.method, received.length, received.sha256], ["PUT", 1_500_000, sha256(bytes)]);
    assert.deepEqual(valuesOf(received, "content-length"), []);
  });

  test(
    "an upload that asks first is told to continue, and the backend is not asked again",
    LIMIT,
    async () => {
      const bytes = Buffer.alloc(50_000, "text");
      const args = ["--data-binary", "@-", "-H", "Expect: 100-continue", "--expect100-timeout", "15"];
      const answer = await curl([`${pair.url}/expect`, ...args], bytes);
      assert.deepEqual(
        answer.heads.map(({ status }) => status),
        [100, 200],
      );
      const received = backend.take();
      assert.equal(received.sha256, sha256(bytes));
      assert.deepEqual(valuesOf(received, "expect"), []);
    },
  );

  test("a compressed body stays compressed, and says so", OF_BYTES, async () => {
    const body = Buffer.from("1f8b0800000000000003cb48cdc9c95728cf2fca49010085114a0d0b000000", "hex");
    const args = [
      "--data-binary",
      "@-",
      "-H",
      "Content-Encoding: gzip",
      "-H",
      "Content-Type: application/json",
    ];
    const received = await send("/v1/whatever", args, body);
    assert.equal(received.sha256, sha256(body));
    assert.deepEqual(valuesOf(received, "content-encoding"), ["gzip"]);
  });

  test("header fields: what crosses, what is added, what stays", LIMIT, async () => {
    const { host } = new URL(pair.url);
    const sent = [
      "X-One: 1",
      "X-Empty;",
      "X-Twice: a",
      "X-Twice: b",
      "Accept-Encoding: br;q=0.5, zstd",
      "Authorization: Bearer of-the-backend",
      "Cookie: session=1; b=2",
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "X-Forwarded-For: 6.6.6.6",
      "Forwarded: for=6.6.6.6",
      "Connection: keep-alive, x-hop",
      "X-Hop: stays",
      "TE: trailers",
      "Proxy-Authorization: Basic eDp5",
      "X-Provider: local",
      "X-Signalbox-Explain: 0",
      "X-Worker-Secret: hunter22",
    ];
    const received = await send("/headers", ["-A", "curl/test", ...sent.flatMap((line) => ["-H", line])]);
    const values = (name: string) => valuesOf(received, name).join(" | ");
    const crossed = {
      "user-agent": "curl/test",
      "x-one": "1",
      "x-empty": "",
      "x-twice": "a, b",
      "accept-encoding": LINK_FORM === "plain" ? "" : "br;q=0.5, zstd",
      authorization: "Bearer of-the-backend",
      cookie: "session=1; b=2",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      host: new URL(backend.url).host,
      via: "1.1 signalbox",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": host,
    };
    for (const [name, value] of Object.entries(crossed)) assert.equal(values(name), value, name);
    assert.equal(valuesOf(received, "x-empty").length, 1);
    const stayed = "forwarded x-hop te proxy-authorization x-provider x-signalbox-explain x-worker-secret";
    for (const name of stayed.split(" ")) assert.deepEqual(valuesOf(received, name), [], name);
  });

  test("a Latin-1 header value", LIMIT, async () => {
    const file = join(folder, "header.txt");
    writeFileSync(file, Buffer.from("X-Name: Zo\xeb caf\xe9 \xff", "latin1"));
    const [value] = valuesOf(await send("/latin1", ["-H", `@${file}`]), "x-name");
    assert.equal(
      Buffer.from(value!, "latin1").toString("hex"),
      Buffer.from("Zo\xeb caf\xe9 \xff", "latin1").toString("hex"),
    );
  });

  test("the relay's own key never reaches the backend, one for the backend does", LIMIT, async () => {
    using keys = new KeysFile({ carol: KEY });
    await using guarded = await Pair.start(backend.url, { relay: ["--api-keys-file", keys.path] });
    for (const field of ["Authorization: Bearer", "X-Api-Key:", "Api-Key:"]) {
      const args = ["-H", `${field} ${KEY}`];
      const foreign = field.startsWith("Auth")
        ? "X-Api-Key: backend-key"
        : "Authorization: Bearer backend-key";
      assert.equal(headOf(await curl([`${guarded.url}/keyed`, ...args, "-H", foreign])).status, 200);
      const { headers } = backend.take();
      const all = JSON.stringify(headers);
      assert.ok(!all.includes(KEY), field);
      assert.ok(all.includes("backend-key"), field);
    }
    assert.equal(headOf(await curl([`${guarded.url}/keyed`])).status, 401);
    assert.equal(backend.received.length, 0);
  });

  test("a GET that announces a body is refused, as half of it would be lost", LIMIT, async () => {
    const answer = await curl([`${pair.url}/get`, "-X", "GET", "-d", "body"]);
    assert.equal(headOf(answer).status, 400);
    assert.equal(backend.received.length, 0);
  });
});
