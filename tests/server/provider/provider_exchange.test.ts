import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { type BackendRequest, RawBackend } from "../../support/raw_backend.ts";
import { settled, until } from "../../support/until.ts";
import { POST, sized, withProvider } from "./set_up.ts";

const MIB = 1024 * 1024;
const encode = (text: string) => new TextEncoder().encode(text);

test("the endpoint's path is sent, with Host and framing of our own and the headers that cross", async () => {
  await withProvider(async ({ open, provider }) => {
    const headers: [string, string][] = [
      ["authorization", "Bearer x"],
      ["content-length", "2"],
      ["cookie", "a=b"],
    ];
    const one = open({ ...POST, headers });
    assert.equal(one.exchange.write(encode("{}")), true);
    one.exchange.end();
    const request = await (await provider.next()).receivedWhole();
    assert.equal(
      request.head,
      `POST /20240101/chat HTTP/1.1\r\nHost: good.test:${provider.port}\r\n` +
        "authorization: Bearer x\r\ncookie: a=b\r\nContent-Length: 2",
    );
    assert.equal(request.body.toString(), "{}");
    request.reply(200, "fine", { "keep-alive": "timeout=5", "x-of-provider": "1" });
    await one.over();
    assert.deepEqual(one.events, ["started", "response", "data", "end", "settled"]);
    // As they came: what stops at a hop stops where the client's response is made.
    assert.equal(one.head?.status, 200);
    assert.deepEqual(
      one.head?.headers.filter(([name]) => name !== "date" && name !== "connection").toSorted(),
      [
        ["content-length", "4"],
        ["keep-alive", "timeout=5"],
        ["x-of-provider", "1"],
      ],
    );
    assert.equal(one.text, "fine");
  });
});

test("a redirect is an answer like any other: where it points to is never contacted", async () => {
  await using elsewhere = await RawBackend.start();
  await withProvider(
    async ({ open, provider }) => {
      const one = await open().over();
      assert.equal(one.head?.status, 302);
      assert.deepEqual(
        one.head.headers.find(([name]) => name === "location"),
        ["location", `${elsewhere.url}/x`],
      );
      assert.equal(provider.requests.length, 1);
    },
    (request) => request.reply(302, "", { location: `${elsewhere.url}/x`, "set-cookie": "a=b" }),
  );
  assert.equal(elsewhere.connections + elsewhere.requests.length, 0);
});

test("no cookie is sent back", async () => {
  await withProvider(
    async ({ open, provider }) => {
      for (let round = 0; round < 2; round++) await open().over();
      assert.ok(provider.requests.every(({ head }) => !/cookie/i.test(head)));
      assert.equal(provider.connections, 1);
    },
    (request) => request.reply(200, "", { "set-cookie": "a=b" }),
  );
});

const WITHOUT_BODY: Record<string, { method: string; answer: string; status: number }> = {
  "HEAD keeps its length": {
    method: "HEAD",
    answer: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
    status: 200,
  },
  "204 has no body": { method: "GET", answer: "HTTP/1.1 204 No\r\n\r\n", status: 204 },
  "304 has no body": { method: "GET", answer: "HTTP/1.1 304 No\r\nContent-Length: 99\r\n\r\n", status: 304 },
  "interim answers are none": {
    method: "GET",
    answer:
      "HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    status: 200,
  },
};
for (const [name, { method, answer, status }] of Object.entries(WITHOUT_BODY)) {
  test(name, async () => {
    await withProvider(
      async ({ open }) => {
        const one = await open({ method }).over();
        assert.deepEqual(one.events, ["started", "response", "end", "settled"]);
        assert.equal(one.head?.status, status);
        if (method === "HEAD") assert.deepEqual(one.head.headers, [["Content-Length", "99"]]);
      },
      (request) => request.send(answer),
    );
  });
}

test("chunks, trailers and an end by closing are bodies like any other", async () => {
  const answers = [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nabcde",
  ];
  for (const answer of answers) {
    await withProvider(
      async ({ open }) => {
        const one = await open().over();
        assert.equal(one.text, "abcde");
        assert.equal(one.head?.status, 200);
      },
      (request) => {
        request.send(answer);
        request.end();
      },
    );
  }
});

test("each read of a stream is settled by itself", async () => {
  await withProvider(async ({ open, provider }) => {
    const one = open();
    const request = (await provider.next()).startStream();
    await until(() => one.events.at(-1) === "settled", "the head");
    for (const event of ["one", "two", "three"]) {
      const before = one.events.length;
      request.chunk(event);
      await until(() => one.events.length > before && one.events.at(-1) === "settled", event);
    }
    request.lastChunk();
    await one.over();
    assert.deepEqual(
      one.chunks.map((chunk) => Buffer.from(chunk).toString()),
      ["one", "two", "three"],
    );
  });
});

test("a body of unknown length goes in chunks, also when it comes late", async () => {
  await withProvider(async ({ open, provider }) => {
    const one = open(POST);
    const request = await provider.next();
    assert.equal(request.headers.get("transfer-encoding"), "chunked");
    one.exchange.write(encode("late"));
    await until(() => request.body.toString().includes("late"), "the first piece");
    one.exchange.write(encode("r"));
    one.exchange.end();
    await request.receivedWhole();
    assert.equal(request.body.toString(), "later");
    request.reply(200, "");
    await one.over();
  });
});

test("64 MiB go up and down, at the pace of who takes them", async () => {
  const size = 64 * MIB;
  const piece = new Uint8Array(256 * 1024).fill(0x61);
  await withProvider(async ({ open, provider }) => {
    const one = open(sized(size));
    const taken: number[] = [];
    one.onData = (bytes) => void taken.push(bytes.length);
    let written = 0;
    const upload = async () => {
      while (written < size) {
        written += piece.length;
        const before = one.writables;
        if (!one.exchange.write(piece)) await until(() => one.writables > before, "room", 20_000);
      }
      one.exchange.end();
    };
    const request = await stopReadingAtOnce(provider, upload);
    assert.ok(written < 20 * MIB, `${written} bytes were taken though nobody read them`);
    request.resumeReading();
    await until(() => request.whole, "the upload", 20_000);
    assert.equal(request.body.length, size);
    request.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    let sent = 0;
    const pour = async () => {
      for (; sent < size; sent += piece.length) if (!request.send(piece)) await request.room();
    };
    const poured = pour();
    await settled(() => one.bytes, 20_000);
    assert.ok(
      one.bytes >= 256 * 1024 && one.bytes < 2 * MIB,
      `${one.bytes} bytes came though nobody took them`,
    );
    assert.ok(sent < 20 * MIB, `${sent} bytes were sent though nobody took them`);
    one.onData = (bytes) => one.exchange.consumed(bytes.length);
    one.exchange.consumed(taken.reduce((sum, length) => sum + length, 0));
    await poured;
    await until(() => one.ended, "the download", 20_000);
    assert.equal(one.bytes, size);
  });
});

test("a download stands still as often as nobody takes it", async () => {
  const size = 32 * MIB;
  const piece = new Uint8Array(256 * 1024).fill(0x61);
  await withProvider(async ({ open, provider }) => {
    const one = open();
    one.onData = () => {};
    const request = await provider.next();
    request.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    const pouring = (async () => {
      for (let sent = 0; sent < size; sent += piece.length) if (!request.send(piece)) await request.room();
    })();
    let taken = 0;
    try {
      for (const round of [1, 2, 3]) {
        const came = (await settled(() => one.bytes)) - taken;
        assert.ok(came >= 256 * 1024 && came < 2 * MIB, `${came} bytes came in round ${round}`);
        taken += came;
        one.exchange.consumed(came);
      }
    } finally {
      one.exchange.reset("cancelled", "enough");
      await pouring;
    }
    await request.isLeft();
  });
});

/** Let an upload run into a provider that reads nothing of it. */
async function stopReadingAtOnce(provider: RawBackend, upload: () => Promise<void>): Promise<BackendRequest> {
  const uploading = upload();
  const request = await provider.next();
  request.stopReading();
  uploading.catch(() => {});
  await settled(() => request.body.length, 20_000);
  return request;
}
