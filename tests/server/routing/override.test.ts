import assert from "node:assert/strict";
import { test } from "node:test";
import { decideOverride, explainOverride } from "../../../server/routing/override.ts";
import type { OverrideAsk, OverrideGrant, OverridePolicy } from "../../../server/routing/override_types.ts";
import { asks, listed, shown } from "./override_builder.ts";

const URL_A = "https://a.example/v1/chat";
const URL_B = "https://b.example/v1/chat";

const POLICY: OverridePolicy = {
  endpoints: [
    listed(["https://a.example/v1/*"], { name: "first", provider: "oci" }),
    listed(["https://a.example/**", "https://c.example/**"], { name: "second", provider: "vertex" }),
    listed(["https://b.example/**"], { name: "third" }),
  ],
};
const only = (...names: string[]): OverrideGrant => ({ endpoints: new Set(names) });

interface Case {
  ask: OverrideAsk;
  policy?: OverridePolicy | undefined;
  grant?: OverrideGrant | undefined;
  is: string;
  by?: string;
}

const provider = (modelProvider: string) => ({ modelProvider: [modelProvider] });

const CASES: Readonly<Record<string, Case>> = {
  "the first that matches counts": { ask: asks(URL_A), is: `provider ${URL_A}`, by: "first" },
  "off comes before everything": {
    ask: asks(""),
    policy: undefined,
    grant: undefined,
    is: "override_not_allowed x-provider-endpoint",
  },
  "who may not is not told what is wrong": {
    ask: asks("https://x"),
    grant: undefined,
    is: "override_not_allowed credential",
  },
  "malformed comes before not listed": { ask: asks("https://x/y"), is: "override_invalid host" },
  "two lines": { ask: asks([URL_A, URL_A]), is: "override_invalid x-provider-endpoint" },
  "no line": { ask: asks([]), is: "override_invalid x-provider-endpoint" },
  "an empty line": { ask: asks(""), is: "override_invalid x-provider-endpoint" },
  "not listed comes before the model provider": {
    ask: asks("https://x.example/y", provider("oci")),
    is: "override_not_listed host",
  },
  "not listed comes before the grant": {
    ask: asks("https://x.example/y"),
    grant: only(),
    is: "override_not_listed host",
  },
  "the furthest pattern tells which part": {
    ask: asks("https://c.example/"),
    is: "override_not_listed path",
  },
  "the model provider must be the pattern's": {
    ask: asks(URL_A, provider("azure")),
    is: "override_invalid x-model-provider",
  },
  "the model provider is compared as written": {
    ask: asks(URL_A, provider("OCI")),
    is: "override_invalid x-model-provider",
  },
  "an empty model provider is one": {
    ask: asks(URL_A, provider("")),
    is: "override_invalid x-model-provider",
  },
  "two model providers": {
    ask: asks(URL_A, { modelProvider: ["oci", "oci"] }),
    is: "override_invalid x-model-provider",
  },
  "an endpoint without a provider takes none": {
    ask: asks(URL_B, provider("oci")),
    is: "override_invalid x-model-provider",
  },
  "an endpoint without a provider is taken without one": {
    ask: asks(URL_B),
    is: `provider ${URL_B}`,
    by: "third",
  },
  "the model provider comes before the grant": {
    ask: asks(URL_A, provider("azure")),
    grant: only(),
    is: "override_invalid x-model-provider",
  },
  "a grant for others is none": {
    ask: asks(URL_B),
    grant: only("first", "second"),
    is: "override_not_allowed grant",
  },
  "a grant for nothing": { ask: asks(URL_A), grant: only(), is: "override_not_allowed grant" },
  "of those that match the first with the model provider": {
    ask: asks(URL_A, provider("vertex")),
    is: `provider ${URL_A}`,
    by: "second",
  },
  "of those that match the first that is granted": {
    ask: asks(URL_A),
    grant: only("second"),
    is: `provider ${URL_A}`,
    by: "second",
  },
  "what is granted must serve the model provider": {
    ask: asks(URL_A, provider("oci")),
    grant: only("second"),
    is: "override_not_allowed grant",
  },
  "nothing is listed": {
    ask: asks(URL_A),
    policy: { endpoints: [] },
    is: "override_not_listed x-provider-endpoint",
  },
};

for (const [title, { ask, is, by, ...given }] of Object.entries(CASES)) {
  test(`decideOverride(): ${title}`, () => {
    const { policy, grant } = { policy: POLICY, grant: {}, ...given };
    const decision = decideOverride(ask, policy, grant);
    assert.equal(shown(decision), is);
    assert.equal(decision.type === "provider" ? decision.target.endpoint.name : undefined, by);
    assert.deepEqual(explainOverride(ask, policy, grant).decision, decision);
    if (decision.type === "refuse") assert.doesNotMatch(decision.detail, /example|first|second|third|vertex/);
  });
}

test("decideOverride() gives the endpoint exactly as it was given", () => {
  const ask = asks("https://c.example:8443/a%20b/m:go?x=%C3%A9");
  const endpoint = listed(["https://c.example:8443/**?x=%C3%A9"], { credential: "secret" });
  assert.deepEqual(decideOverride(ask, { endpoints: [endpoint] }, {}), {
    type: "provider",
    target: {
      endpoint,
      pattern: "https://c.example:8443/**?x=%C3%A9",
      secure: true,
      host: "c.example",
      port: 8443,
      target: "/a%20b/m:go?x=%C3%A9",
      url: "https://c.example:8443/a%20b/m:go?x=%C3%A9",
    },
  });
});

const JOINS = listed(["https://*.j.example/v1/**", "https://*.j.example/v1/**?stream=true"], {
  name: "joins",
  join: true,
});
const ROOT = listed(["https://x.j.example/"], { name: "root" });

const JOINED: Readonly<Record<string, readonly [endpoint: string, requestTarget: string, is: string]>> = {
  "a bare origin": ["https://x.j.example", "/v1/chat", "provider https://x.j.example/v1/chat"],
  "one with a slash": ["https://x.j.example/", "/v1/chat", "provider https://x.j.example/v1/chat"],
  "with the query": [
    "https://x.j.example",
    "/v1/chat?stream=true",
    "provider https://x.j.example/v1/chat?stream=true",
  ],
  "a query that is not listed": ["https://x.j.example", "/v1/chat?stream=false", "override_not_listed query"],
  "what is not bare stays as it is": [
    "https://x.j.example/v1/a",
    "/v1/chat?x",
    "provider https://x.j.example/v1/a",
  ],
  "a path that is not listed": ["https://x.j.example", "/v2/chat", "override_not_listed path"],
  "a host that is not listed": ["https://x.k.example", "/v1/chat", "override_not_listed host"],
  "a port that is not listed": ["https://x.j.example:8443", "/v1/chat", "override_not_listed port"],
  "a path in another form": ["https://x.j.example", "/v1//chat", "override_invalid path"],
  "a path in another form, and a slash": ["https://x.j.example/", "/v1//chat", "override_invalid path"],
  "an escaped slash": ["https://x.j.example", "/v1/a%2fb", "override_invalid path"],
  "a path that would become a host": ["https://x.j.example", ".evil.example/v1/x", "override_invalid path"],
  "a path that would become a user": ["https://x.j.example", "@evil.example/v1/x", "override_invalid path"],
  "no path at all": ["https://x.j.example", "*", "override_invalid path"],
  "a bare origin that is an address": ["https://127.0.0.1", "/v1/chat", "override_invalid host"],
};

for (const [title, [endpoint, requestTarget, is]] of Object.entries(JOINED)) {
  test(`an endpoint that joins: ${title}`, () => {
    const decision = decideOverride(asks(endpoint, { requestTarget }), { endpoints: [JOINS] }, {});
    assert.equal(shown(decision), is);
  });
}

test("a bare origin is joined for endpoints that join only", () => {
  const decide = (endpoint: string, requestTarget: string, ...endpoints: OverridePolicy["endpoints"]) =>
    shown(decideOverride(asks(endpoint, { requestTarget }), { endpoints }, {}));
  assert.equal(decide("https://x.j.example", "/v1/chat", ROOT), "override_invalid path");
  assert.equal(decide("https://x.j.example/", "/v1/chat", ROOT), "provider https://x.j.example/");
  assert.equal(decide("https://x.j.example/", "/v2", JOINS, ROOT), "provider https://x.j.example/");
  assert.equal(decide("https://x.j.example/", "/v1//", JOINS, ROOT), "provider https://x.j.example/");
  assert.equal(decide("https://x.j.example/", "/v1/chat", ROOT, JOINS), "provider https://x.j.example/");
});

test("explainOverride() tells of each pattern which part failed", () => {
  const explained = (ask: OverrideAsk, grant: OverrideGrant | undefined) =>
    explainOverride(ask, POLICY, grant).patterns.map(({ endpoint, pattern, fault }) => [
      endpoint.name,
      pattern,
      fault?.part,
    ]);
  assert.deepEqual(explained(asks(URL_A, provider("vertex")), only("first", "third")), [
    ["first", "https://a.example/v1/*", "x-model-provider"],
    ["second", "https://a.example/**", "grant"],
    ["second", "https://c.example/**", "host"],
    ["third", "https://b.example/**", "host"],
  ]);
  assert.deepEqual(explained(asks(URL_B), {}).at(-1), ["third", "https://b.example/**", undefined]);
  assert.deepEqual(explained(asks(""), {}), []);
  assert.deepEqual(explained(asks(URL_A), undefined), []);
});
