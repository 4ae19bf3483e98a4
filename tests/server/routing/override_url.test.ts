import assert from "node:assert/strict";
import { test } from "node:test";
import { isBareOrigin, isFault, readEndpointUrl, readOneLine } from "../../../server/routing/override_url.ts";

const HOST = "a.example";
const LONG_LABEL = "a".repeat(63);

test("readOneLine() takes 1 to 2048 bytes of printable ASCII in one line", () => {
  for (const line of ["x", "y".repeat(2048), "!#$%&'()*+,-./09:;=?@AZ[]_az~"])
    assert.deepEqual(readOneLine("x-field", [line]), { line });
  const refused = [[], [""], ["a", "a"], ["y".repeat(2049)], ["é"], ["a\u0000"], ["a\u007f"], ["a\u00ff"]];
  for (const lines of [...refused, ...Array.from('\\"<>^`{|} \t\r\n', (character) => [`a${character}b`])]) {
    const read = readOneLine("x-field", lines);
    assert.ok(isFault(read), JSON.stringify(lines));
    assert.equal(read.part, "x-field");
  }
});

const READ: Readonly<Record<string, object>> = {
  "https://a.example/": { secure: true, host: HOST, port: 443, segments: [], query: undefined, target: "/" },
  "http://a.example/x": { secure: false, port: 80, segments: ["x"] },
  "https://a.example:8443/x/y?z=1&u=/a?b": {
    port: 8443,
    segments: ["x", "y"],
    query: "z=1&u=/a?b",
    target: "/x/y?z=1&u=/a?b",
  },
  "https://a.example:80/x": { secure: true, port: 80 },
  "http://a.example:443/x": { secure: false, port: 443 },
  "https://a.example:65535/x": { port: 65_535 },
  "https://a.example/x?a=%2F%2e%5C%252f%20": { query: "a=%2F%2e%5C%252f%20" },
  "https://a.example/x?": { query: "", target: "/x?" },
  "https://1.2.3.4a/x": { labels: ["1", "2", "3", "4a"] },
  "https://0xa9.0xfe.example/x": { host: "0xa9.0xfe.example" },
  "https://a-b.xn--bcher-kva.example/x": { labels: ["a-b", "xn--bcher-kva", "example"] },
  [`https://${LONG_LABEL}.example/x`]: { labels: [LONG_LABEL, "example"] },
  "https://a.example/m:do,it;v=1/%20%C3%A9/...": { segments: ["m:do,it;v=1", "%20%C3%A9", "..."] },
  "https://a.example/~u/.well-known/a'b()*!$&+=@_": { segments: ["~u", ".well-known", "a'b()*!$&+=@_"] },
};

for (const [url, expected] of Object.entries(READ)) {
  test(`readEndpointUrl() reads ${url}`, () => {
    const read = readEndpointUrl(url);
    assert.partialDeepStrictEqual(read, { url, ...expected });
  });
}

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  scheme: [
    ...[
      "",
      "a.example",
      "//a.example/x",
      "/x",
      "HTTPS://a.example/x",
      "Https://a.example/x",
      "ftp://a.example/x",
    ],
    ...["wss://a.example/x", "https:/a.example/x", "https:a.example/x", " https://a.example/x", "data:,x"],
    "ht\ntps://a.example/x",
  ],
  userinfo: [
    ...["https://u:p@a.example/x", "https://u@a.example/x", "https://@a.example/x", "https://:@a.example/x"],
    ...["https://a.example:443@b.example/x", "https://a@b@a.example/x", "https://b.example;@a.example/x"],
  ],
  fragment: [
    "https://a.example/x#y",
    "https://a.example/x#",
    "https://a.example#/x",
    "https://b.example#@a.example/x",
  ],
  host: [
    ...[
      "https:///x",
      "https://::1/x",
      "https://a/x",
      "https://localhost/x",
      "https://.a.example/x",
      "https://a..example/x",
    ],
    ...["https://a.example./x", "https://A.example/x", "https://a_b.example/x", "https://-a.example/x"],
    ...["https://a-.example/x", "https://*.example/x", "https://a%2eexample/x", "https://a.ex ample/x"],
    ...[`https://${LONG_LABEL}a.example/x`, `https://${"a.".repeat(124)}example/x`, "https://ä.example/x"],
    ...["https://a\u3002example/x", "https://a\uff0eexample/x", "https://a.\u212aexample/x"],
  ],
  "host address": [
    ...["127.0.0.1", "127.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.0x0.0x0.0x1", "0177.0.0.1"],
    ...[
      "017700000001",
      "10.0.0.1",
      "1.2.3.4.5",
      "256.256.256.256",
      "a.1",
      "a.0x",
      "a.0xff",
      "a.08",
      "a.99999999999",
    ],
    ...[
      "[::]",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "[::ffff:a9fe:a9fe]",
      "[2002:a9fe:a9fe::]",
      "[fe80::1%25eth0]",
    ],
    ...["[v1.fe80::a]", "[0:0:0:0:0:FFFF:7F00:1]", "[64:ff9b::a9fe:a9fe]", "\u2460\u2461\u2466.0.0.1"],
  ].map((host) => `https://${host}/x`),
  port: [
    ...["https://a.example:/x", "https://a.example:443/x", "http://a.example:80/x", "https://a.example:0/x"],
    ...[
      "https://a.example:00443/x",
      "https://a.example:08443/x",
      "https://a.example:65536/x",
      "https://a.example:+1/x",
    ],
    ...[
      "https://a.example:65979/x",
      "https://a.example:8 0/x",
      "https://a.example:1:2/x",
      "https://a.example:x/x",
    ],
  ],
  path: [
    ...["https://a.example", "https://a.example?x", "https://a.example//", "https://a.example//x"],
    ...["https://a.example/x/", "https://a.example/x//y", "https://a.example/.", "https://a.example/x/../y"],
    ...[
      "https://a.example/./x",
      "https://a.example/x/..",
      "https://a.example/%2e",
      "https://a.example/.%2E/x",
    ],
    ...[
      "https://a.example/x%2fy",
      "https://a.example/x%5Cy",
      "https://a.example/%252e",
      "https://a.example/x%2ey",
    ],
    ...["https://a.example/x%", "https://a.example/x%2", "https://a.example/x%zz", "https://a.example/%00"],
    ...[
      "https://a.example/%0d%0ax",
      "https://a.example/%7f",
      "https://a.example/%C2%85",
      "https://a.example/x y",
    ],
    ...[
      "https://a.example/%c0%ae",
      "https://a.example/%e0%80%af",
      "https://a.example/%ff",
      "https://a.example/[x]",
    ],
    ...[
      "https://a.example/..;/x",
      "https://a.example/..;a=b/x",
      "https://a.example/..%3b/x",
      "https://a.example/;/x",
    ],
    ...["https://a.example/x\\y", "https://a.example/{m}", "https://a.example/é", "https://a.example/a|b"],
  ],
  query: [
    ...[
      "https://a.example/x?a b",
      "https://a.example/x?a'b",
      "https://a.example/x?%c0%ae",
      "https://a.example/x?%0d%0a",
    ],
    ...[
      "https://a.example/x?%",
      "https://a.example/x?é",
      "https://a.example/x?[a]",
      "https://a.example/x?%7f",
    ],
  ],
};

for (const [what, urls] of Object.entries(REFUSED)) {
  const part = what.split(" ")[0];
  for (const url of urls) {
    test(`readEndpointUrl() refuses ${JSON.stringify(url)} for its ${what}`, () => {
      const read = readEndpointUrl(url);
      assert.ok(isFault(read), "it was read");
      assert.equal(read.part, part);
      assert.doesNotMatch(read.detail, /example|127|::/);
    });
  }
}

test("readEndpointUrl() refuses what only the runtime's own parser finds wrong", () => {
  // No punycode stands behind this xn--.
  const read = readEndpointUrl("https://xn--0.example/x");
  assert.ok(isFault(read));
  assert.equal(read.part, "url");
});

test("isBareOrigin() is true for a scheme and a host alone", () => {
  const values = ["https://a.example", "https://a.example/", "http://a.example:8080", "https://a.example/x"];
  assert.deepEqual(values.map(isBareOrigin), [true, true, true, false]);
  for (const value of [
    "https://",
    "https://a.example?x",
    "https://a.example/?x",
    "https://a.example#",
    "a.example",
  ])
    assert.equal(isBareOrigin(value), false, value);
});
