import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endRelay, startRelay } from "../support/admin_view.ts";
import { cannotOverPlain, FORMS, formFlag } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { chunk } from "../support/raw_client.ts";
import { RoutingStand, routed, type Script } from "../support/routing_stand.ts";
import { until } from "../support/until.ts";

/** Bodies in which another model is written, however they arrive, and what is cut out of them: routing.md, 1 and 3. */

const PEEK_BYTES = 4096;

let relay: RelayProgram;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000", `--peek-limit=${PEEK_BYTES}`]);
});

after(async () => {
  await endRelay(relay);
});

const done: Script = (request) => request.answer(200, "done");

const CHUNKED = { "transfer-encoding": "chunked" };
const FORM = "multipart/form-data; boundary=cut";

function form(model: string): string {
  const file = 'content-disposition: form-data; name="file"; filename="model"\r\n\r\nname="model"\r\n--cu';
  return `--cut\r\n${file}\r\n--cut\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n--cut--\r\n`;
}

for (const linkForm of FORMS) {
  describe(`over a ${linkForm} link`, () => {
    test("a multipart field is another, all else byte for byte", async () => {
      await using stand = new RoutingStand(relay, linkForm);
      const worker = await stand.worker("p", done);
      const headers = { "content-type": FORM };
      const response = await stand.ask(form(`${stand.model}:nitro`), { headers });
      assert.deepEqual([response.body, routed(response).model], ["done", stand.model]);
      const [request] = worker.requests;
      assert.equal(request!.body, form(stand.model));
      if (linkForm === "framed") {
        assert.equal(new Map(request!.head.headers).get("content-length"), `${form(stand.model).length}`);
      }
      await stand.ask(form(stand.model), { headers });
      assert.equal(worker.requests[1]!.body, form(stand.model));
    });

    test("an upload in chunks is changed and stays without a length", async () => {
      await using stand = new RoutingStand(relay, linkForm);
      const worker = await stand.worker("p", done);
      const client = await stand.send(chunk('{"n":1,"mo'), { headers: CHUNKED });
      client.send(chunk(`del":"${stand.model}:fl`));
      client.send(`${chunk('oor"}')}0\r\n\r\n`);
      assert.equal((await client.response()).body, "done");
      const [request] = worker.requests;
      assert.equal(request!.body, `{"n":1,"model":"${stand.model}"}`);
      if (linkForm === "framed") assert.equal(new Map(request!.head.headers).has("content-length"), false);
    });

    test("a body over the peek limit is changed in what was read of it", async () => {
      await using stand = new RoutingStand(relay, linkForm);
      const worker = await stand.worker("p", done);
      const body = (model: string) => `{"model":"${model}","pad":"${"x".repeat(300_000)}","model":"last"}`;
      for (const headers of [{}, { "x-model": stand.model }, { "x-model": `${stand.model}:floor` }]) {
        const response = await stand.ask(body(`${stand.model}:nitro`), { headers });
        assert.deepEqual([response.body, routed(response).model], ["done", stand.model]);
        const { bytes, head } = worker.requests.at(-1)!;
        assert.equal(bytes.equals(Buffer.from(body(stand.model))), true);
        if (linkForm === "framed") {
          assert.equal(new Map(head.headers).get("content-length"), `${bytes.length}`);
        }
      }
      assert.equal(worker.requests.length, 3);
    });

    test("what lies behind the peek limit says nothing to routing and stays", async () => {
      await using stand = new RoutingStand(relay, linkForm);
      const worker = await stand.worker("p", done);
      const pad = "x".repeat(2_000_000);
      const body = `{"pad":"${pad}","model":"nobody's","provider":{"only":["nobody"]}}`;
      const response = await stand.ask(body, { headers: { "x-model": stand.model } });
      assert.equal(response.body, "done");
      assert.match(response.headers.get("x-signalbox-warning") ?? "", /provider was looked for in the first/);
      assert.equal(worker.requests[0]!.bytes.equals(Buffer.from(body)), true);
    });

    test("a header goes before a body that is there in part, and its model is written into it", async () => {
      await using stand = new RoutingStand(relay, linkForm);
      const worker = await stand.worker("p", done);
      const body = (model: string) => `{"model":"${model}","pad":"${"x".repeat(2 * PEEK_BYTES)}"}`;
      const response = await stand.ask(body("another"), { headers: { "x-model": stand.model } });
      assert.equal(response.body, "done");
      assert.equal(worker.requests[0]!.body, body(stand.model));
    });

    test("an encoded body is not looked into", async () => {
      await using stand = new RoutingStand(relay, "framed");
      const worker = await stand.worker("p", done);
      const headers = { "content-encoding": "zstd", "x-model": `${stand.model}:nitro` };
      const body = '{"model":"whatever","provider":{"only":["nobody"]}}';
      assert.equal((await stand.ask(body, { headers })).body, "done");
      assert.equal(worker.requests[0]!.body, body);
    });
  });
}

test("a worker that dies within an upload: the next one gets the changed body from its beginning", {
  skip: cannotOverPlain("wholeRequests"),
}, async () => {
  await using stand = new RoutingStand(relay);
  const [one, two] = [`${stand.model}-1`, `${stand.model}-number-2`];
  const first = await stand.worker("p", undefined, { models: [one] });
  const second = await stand.worker("q", undefined, { models: [two] });
  const pad = "x".repeat(2 * PEEK_BYTES);
  const body = (model: string) => `{"model":"${model}","models":["${two}"],"pad":"${pad}","end":1}`;
  const sent = body(one);
  const client = await stand.send(sent.slice(0, -100), { headers: { "content-length": `${sent.length}` } });
  const had = await first.next();
  await until(() => had.bytes.length >= PEEK_BYTES, "the beginning at the first worker");
  await first.die();
  const has = await second.next();
  client.send(sent.slice(-100));
  assert.equal((await has.received()).body, body(two));
  assert.equal(new Map(has.head.headers).get("content-length"), `${body(two).length}`);
  has.answer(200, "done");
  assert.equal((await client.response()).body, "done");
});

describe("workers of ours before a backend", () => {
  for (const linkForm of FORMS) {
    test(`the backend reads the changed body with its length, over a ${linkForm} link`, async () => {
      const model = `backend-${linkForm}`;
      await using backend = await RawBackend.start((request) => {
        void request.receivedWhole().then(() => request.reply(200, "done"));
      });
      await using _worker = await WorkerProgram.start(relay.url, backend.url, [
        `--models=${model}`,
        formFlag(linkForm),
      ]);
      await using stand = new RoutingStand(relay);
      assert.equal((await stand.ask(`{"model": "${model}:nitro" }`)).body, "done");
      const [request] = backend.requests;
      assert.equal(`${request!.body}`, `{"model": "${model}" }`);
      assert.equal(request!.headers.get("content-length"), `${request!.body.length}`);
    });
  }
});

describe("--strip-provider", () => {
  let strict: RelayProgram;
  before(async () => {
    strict = await startRelay(["--max-worker-handshakes=1000", "--strip-provider"]);
  });
  after(async () => {
    await endRelay(strict);
  });

  const STRIPPED: [sent: string, read: string][] = [
    ['{"provider":{"only":["p"]},"model":"M"}', '{"model":"M"}'],
    ['{"model":"M" , "provider" : {"only":["p"]} }', '{"model":"M" }'],
    ['{"model":"M","provider":{"only":["p"]},"n":1e2}', '{"model":"M","n":1e2}'],
    ['{"provider":{"x":1},"model":"M","provider":{"only":["p"]},"n":1}', '{"model":"M","n":1}'],
    ['{"model":"M:nitro", "\\u0070rovider":{"only":["p"]},"n":1}', '{"model":"M", "n":1}'],
    ['{"provider":{},"model":"M:nitro"}', '{"model":"M"}'],
  ];
  const KEPT = [
    '{"model":"M","provider":"p"}',
    '{"model":"M","provider":["p"]}',
    '{"model":"M","provider":null}',
    '{"model":"M","messages":[{"provider":{"only":["q"]}}]}',
    '{"model":"M","provider":{"only":["q"]},"provider":"p"}',
  ];

  for (const linkForm of FORMS) {
    test(`cuts an object and nothing else, over a ${linkForm} link`, async () => {
      await using stand = new RoutingStand(strict, linkForm);
      const worker = await stand.worker("p", done);
      const cases = [...STRIPPED, ...KEPT.map((body) => [body, body] as const)];
      for (const [sent, read] of cases) {
        const named = (text: string) => text.replaceAll('"M', `"${stand.model}`);
        const response = await stand.ask(named(sent));
        assert.deepEqual([response.status, response.body], [200, "done"], sent);
        const { body, head } = worker.requests.at(-1)!;
        assert.equal(body, named(read));
        if (linkForm === "framed") {
          assert.equal(new Map(head.headers).get("content-length"), `${body.length}`);
        }
      }
      assert.equal(worker.requests.length, cases.length);
    });
  }

  test("without it the member stays", async () => {
    await using stand = new RoutingStand(relay);
    const worker = await stand.worker("p", done);
    for (const [sent] of STRIPPED) {
      const body = sent.replace(/"M(:nitro)?"/, JSON.stringify(stand.model));
      assert.equal((await stand.ask(body)).status, 200);
      assert.equal(worker.requests.at(-1)!.body, body);
    }
  });
});
