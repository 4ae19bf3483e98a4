import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePattern } from "../../../server/routing/override_pattern.ts";
import { decideFor, shown } from "./override_builder.ts";

const VERTEX = "https://{region}-ai.google.example/v1/projects/{project}/locations/{region}/models/*";

/** What a pattern matches, and what it does not, with the part that differs. */
const PATTERNS: Readonly<Record<string, { matches: string[]; not: Readonly<Record<string, string>> }>> = {
  "https://a.example/v1/chat": {
    matches: ["https://a.example/v1/chat"],
    not: {
      "http://a.example/v1/chat": "scheme",
      "https://b.example/v1/chat": "host",
      "https://a.example.example/v1/chat": "host",
      "https://a.example:8443/v1/chat": "port",
      "https://a.example/v1/chats": "path",
      "https://a.example/v1": "path",
      "https://a.example/v1/chat/x": "path",
      "https://a.example/V1/chat": "path",
      "https://a.example/v1/%63hat": "path",
      "https://a.example/v1/chat?x": "query",
      "https://a.example/v1/chat?": "query",
    },
  },
  "http://a.example:8000/v1/**": {
    matches: ["http://a.example:8000/v1/x", "http://a.example:8000/v1/x/y/z"],
    not: {
      "https://a.example:8000/v1/x": "scheme",
      "http://a.example/v1/x": "port",
      "http://a.example:8000/v1": "path",
      "http://a.example:8000/v11/x": "path",
      "http://a.example:8000/x/v1/y": "path",
      "http://a.example:8000/v1/x?y": "query",
    },
  },
  "https://*.ai.example/**": {
    matches: ["https://x.ai.example/v1", "https://x-1.ai.example/a/b"],
    not: {
      "https://ai.example/v1": "host",
      "https://x.y.ai.example/v1": "host",
      "https://xai.example/v1": "host",
      "https://x.ai.example/": "path",
    },
  },
  "https://a.example/": { matches: ["https://a.example/"], not: { "https://a.example/x": "path" } },
  "https://gen.*.oci.example/*/x-*-y/*": {
    matches: ["https://gen.us-1.oci.example/1/x-a-y/c", "https://gen.us-1.oci.example/1/x---y/c"],
    not: {
      "https://gen.us-1.oci.example/1/x--y/c": "path",
      "https://gen.us-1.oci.example/1/x-y/c": "path",
      "https://gen.us-1.oci.example/1/ax-a-y/c": "path",
      "https://gen.us-1.oci.example/1/x-a-yb/c": "path",
      "https://gen.us-1.oci.example/1/x-a-y": "path",
      "https://gen.us-1.a.oci.example/1/x-a-y/c": "host",
    },
  },
  [VERTEX]: {
    matches: [
      "https://eu-ai.google.example/v1/projects/p/locations/eu/models/m:go",
      "https://a-ai-ai.google.example/v1/projects/p/locations/a-ai/models/m",
    ],
    not: {
      "https://eu-ai.google.example/v1/projects/p/locations/us/models/m": "path",
      "https://eu-ai.google.example/v1/projects/p/locations/eu-ai/models/m": "path",
      "https://eu.google.example/v1/projects/p/locations/eu/models/m": "host",
      "https://eu-ai.google.example/v1/projects/p/locations/eu/models/m?alt=sse": "query",
    },
  },
  [`${VERTEX}?alt=sse`]: {
    matches: ["https://eu-ai.google.example/v1/projects/p/locations/eu/models/m?alt=sse"],
    not: {
      "https://eu-ai.google.example/v1/projects/p/locations/eu/models/m": "query",
      "https://eu-ai.google.example/v1/projects/p/locations/eu/models/m?alt=ss%65": "query",
      "https://eu-ai.google.example/v1/projects/p/locations/eu/models/m?alt=sse&key=k": "query",
      "https://eu-ai.google.example/v1/projects/p/locations/eu/models/m?alt=sse;key=k": "query",
    },
  },
  "https://*.azure.example/chat?api-version=*": {
    matches: [
      "https://r.azure.example/chat?api-version=2024-10-21",
      "https://r.azure.example/chat?api-version=v1/x",
    ],
    not: {
      "https://r.azure.example/chat": "query",
      "https://r.azure.example/chat?api-version=": "query",
      "https://r.azure.example/chat?api-version=1&x=2": "query",
      "https://r.azure.example/chat?api-version=1;x": "query",
      "https://r.azure.example/chat?api-version=1=2": "query",
      "https://r.azure.example/chat?api-version=1%262": "query",
      "https://r.azure.example/chat?api-versions=1": "query",
    },
  },
  "https://a.example/a*b*c": {
    matches: ["https://a.example/axbyc", "https://a.example/abbbc", "https://a.example/axbybzc"],
    not: {
      "https://a.example/abc": "path",
      "https://a.example/abxc": "path",
      "https://a.example/axbc": "path",
      "https://a.example/axcyb": "path",
    },
  },
  "https://{a}-{b}.x.example/{a}/{b}/{a}:{b}": {
    matches: [
      "https://p-q.x.example/p/q/p:q",
      "https://p-q-r.x.example/p-q/r/p-q:r",
      "https://p-q-r.x.example/p/q-r/p:q-r",
    ],
    not: {
      "https://p-q.x.example/q/p/q:p": "host",
      "https://p-q.x.example/p/q/q:p": "path",
    },
  },
  // Two wildcards in one segment, of which only the other tells what each stands for.
  "https://a.example/{a}-{a}": {
    matches: ["https://a.example/x-x", "https://a.example/x-y-x-y", "https://a.example/---"],
    not: {
      "https://a.example/x-y": "path",
      "https://a.example/x-x-": "path",
      "https://a.example/x-xx": "path",
      "https://a.example/x-y-x": "path",
      "https://a.example/-": "path",
      "https://a.example/--": "path",
    },
  },
  "https://{t}-{r}.x.example/{r}-{t}/*.{t}?a={r}": {
    matches: [
      "https://t-r.x.example/r-t/x.t?a=r",
      "https://t-u-r.x.example/r-t-u/x.t-u?a=r",
      "https://t-u-r.x.example/u-r-t/x.t?a=u-r",
      "https://t-r.x.example/r-t/x.t.t?a=r",
    ],
    not: {
      "https://t-r.x.example/t-r/x.t?a=r": "path",
      "https://t-u-r.x.example/u-r-t/x.t-u?a=u-r": "path",
      "https://t-u-r.x.example/r-t-u/x.t-u?a=u-r": "path",
      "https://t.x.example/t-t/x.t?a=t": "host",
    },
  },
  // A query is compared as it is written.
  "https://a.example/x?m=meta%2Fllama&v=1%2E0&t=%25": {
    matches: ["https://a.example/x?m=meta%2Fllama&v=1%2E0&t=%25"],
    not: {
      "https://a.example/x?m=meta/llama&v=1%2E0&t=%25": "query",
      "https://a.example/x?m=meta%2fllama&v=1%2E0&t=%25": "query",
    },
  },
  "https://a.example/x?{a}-{b}={b}-{a}": {
    matches: ["https://a.example/x?1-2=2-1"],
    not: { "https://a.example/x?1-2=1-2": "query", "https://a.example/x?1-%32=%32-1": "query" },
  },
};

for (const [pattern, { matches, not }] of Object.entries(PATTERNS)) {
  test(`compilePattern() makes of ${pattern} what matches as it should`, () => {
    assert.ok(matches.length > 0);
    for (const url of matches) assert.equal(shown(decideFor(url, [pattern])), `provider ${url}`);
    for (const [url, part] of Object.entries(not))
      assert.equal(shown(decideFor(url, [pattern])), `override_not_listed ${part}`, url);
  });
}

test("a pattern is its owner's when the label below the registry's is written out", () => {
  const own = [
    "a.example",
    "*.a.example",
    "{x}-ai.googleapis.com",
    "a.co.uk",
    "co.uk",
    "*.a.co.uk",
    "*.ibm.de",
    // Rules of the list for one place, and its exception to one.
    "*.a.oslo.no",
    "*.a.b.kawasaki.jp",
    "*.city.kawasaki.jp",
    // A hosting company's: whose names they are is known to who writes the pattern.
    "*.github.io",
    // In no list.
    "*.a.internal",
  ];
  const open = [
    ...["*.co.uk", "{x}.com.au", "a-*.ne.jp", "a.*.co.uk"],
    ...["*.oslo.no", "*.kawasaki.jp", "*.b.kawasaki.jp", "a.*.kawasaki.jp", "{x}.k12.ca.us", "*.sch.uk"],
    ...["a.*.nordland.no", "*.*.akershus.no", "a.b.*.nordland.no"],
  ];
  for (const [hosts, expected] of [
    [own, true],
    [open, false],
  ] as const) {
    for (const host of hosts) assert.equal(compilePattern(`https://${host}/v1`).ownDomain, expected, host);
  }
});

test("matching costs no more than the lengths of both, multiplied", () => {
  const pieces = "a*".repeat(60);
  const pattern = `https://h.example/${pieces}b?${"a=*&".repeat(100)}b=*`;
  const url = `https://h.example/${"a".repeat(1000)}?${"a=a&".repeat(100)}b=`;
  const start = performance.now();
  for (let time = 0; time < 100; time++) assert.equal(decideFor(url, [pattern]).type, "refuse");
  assert.ok(performance.now() - start < 5000);
});

test("a name that another part tells is looked for wherever it may be", () => {
  const pattern = "https://{a}.x.example/*-{a}/*-{a}-*";
  const many = "-".repeat(600);
  const url = `https://k.x.example/${many}-k/${many}-k-${many}`;
  for (const [found, is] of [
    [url, `provider ${url}`],
    [url.replace("-k-", "-x-"), "override_not_listed path"],
  ] as const)
    assert.equal(shown(decideFor(found, [pattern])), is);
});

test("names that could stand for very many texts are tried a while, and then do not match", () => {
  const pattern = "https://h.example/{a}-{b}-{c}-{d}/{d}.{c}.{b}.{a}";
  assert.equal(
    shown(decideFor("https://h.example/1-2-3-4-5-6/5-6.3-4.2.1", [pattern])),
    "provider https://h.example/1-2-3-4-5-6/5-6.3-4.2.1",
  );
  const start = performance.now();
  for (let time = 0; time < 100; time++)
    assert.equal(decideFor(`https://h.example/${"-".repeat(1900)}/x`, [pattern]).type, "refuse");
  assert.ok(performance.now() - start < 5000);
});
