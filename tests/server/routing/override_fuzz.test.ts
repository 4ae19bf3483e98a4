import assert from "node:assert/strict";
import { test } from "node:test";
import { decideOverride } from "../../../server/routing/override.ts";
import { asks, listed } from "./override_builder.ts";

const ROUNDS = 150_000;

const PATTERNS = [
  "https://*.gen.oci.example/2024/**",
  "https://inf.*.oci.example/2024/**",
  "https://{region}-ai.google.example/v1/{project}/{region}/models/*",
  "https://{region}-ai.google.example/v1/{project}/{region}/models/*?alt=sse",
  "https://*.azure.example/openai/*/chat?api-version=*",
  "https://llm.partner.example:8443/v1/chat",
  "http://pool.example:8000/v1/m-*:go",
  "https://{a}-{b}.x.example/{a}/{b}/*-*",
  "https://root.example/**",
  "https://{t}-{r}.y.example/{r}-{t}/{t}:*-{t}",
  "https://y.example/{m}-{m}?m=%2F{m}",
];

const VALID = [
  "https://unit1.gen.oci.example/2024/actions/chat",
  "https://inf.us-1.oci.example/2024/x/y",
  "https://eu-ai.google.example/v1/p/eu/models/m:go",
  "https://eu-ai.google.example/v1/p/eu/models/m?alt=sse",
  "https://res.azure.example/openai/gpt/chat?api-version=2024-10-21",
  "https://llm.partner.example:8443/v1/chat",
  "http://pool.example:8000/v1/m-1:go",
  "https://p-q.x.example/p/q/1-2",
  "https://root.example/x",
  "https://a-b-c.y.example/c-a-b/a-b:x-a-b",
  "https://y.example/eu-us-eu-us?m=%2Feu-us",
];

/** What parsers disagree about, beside pieces of the endpoints themselves. */
const PIECES = [
  ..."/\\.:@#?%&;=*{}[]<>|^` \t\n\r\0\u007f\u00a0\u00ad\u2044\u3002\uff0e\uff0f\u0430aA019-_~+,!$'()",
  ...[
    "..",
    "//",
    "/./",
    "/../",
    "%2e",
    "%2E%2e",
    "%2f",
    "%5c",
    "%25",
    "%00",
    "%0d%0a",
    "%c0%ae",
    "%",
    "%2",
    "%41",
  ],
  ...[
    "https://",
    "http://",
    "evil.example",
    "@evil.example",
    ".evil.example",
    "evil.example/",
    "evil.example#",
  ],
  ...[
    "127.0.0.1",
    "0x7f000001",
    "[::1]",
    "localhost",
    ":443",
    ":80",
    ":0",
    ":8443",
    "xn--",
    "..;",
    "?alt=sse",
    "&x=1",
  ],
  ...["-ai", "eu", "us", "2024", "models", ".example", "example."],
];

/** Mulberry32: the same numbers on every run and runtime. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

function mutated(roll: (sides: number) => number): string {
  let text = VALID[roll(VALID.length)]!;
  for (let times = 1 + roll(3); times > 0; times--) {
    const at = roll(text.length + 1);
    const cut = [0, 0, 1, 2, 5][roll(5)]!;
    const other = VALID[roll(VALID.length)]!;
    const start = roll(other.length);
    const piece = [
      PIECES[roll(PIECES.length)]!,
      other.slice(start, start + 1 + roll(12)),
      "",
      text.slice(at, at + 3),
    ];
    text = text.slice(0, at) + piece[roll(4)] + text.slice(at + cut);
  }
  return text;
}

/** What `new URL` makes of a text, read by the plainest means: regular expressions over whole parts. */
function isWithin(url: URL, pattern: string): boolean {
  const [, scheme, authority, path = "", query] = /^(https?:)\/\/([^/]*)([^?]*)(\?.*)?$/.exec(pattern)!;
  const [host = "", port = ""] = authority!.split(":");
  if (url.protocol !== scheme || url.port !== port || url.username || url.password || url.hash) return false;
  const seen = new Set<string>();
  const source = (text: string, one: string, many: string) =>
    text.replace(/\*\*|\*|\{(\w+)\}|[^*{}]+/g, (piece, name: string | undefined) => {
      if (piece === "**") return many;
      if (piece === "*") return one;
      if (!name) return piece.replace(/[^\w/-]/g, "\\$&");
      if (seen.has(name)) return `\\k<${name}>`;
      seen.add(name);
      return `(?<${name}>${one})`;
    });
  const whole = `${source(host, "[a-z0-9-]+", "!")} ${source(path, "[^/]+", "[^/]+(?:/[^/]+)*")} ${source(query ?? "", "[^&;=%]+", "!")}`;
  return new RegExp(`^${whole}$`).test(`${url.hostname} ${url.pathname} ${url.search}`);
}

/** Segments as the most gullible server would see them. */
function escapes(url: URL): boolean {
  const path = decodeURIComponent(decodeURIComponent(url.pathname)).replaceAll("\\", "/");
  return path.split("/").some((segment) => /^\.{1,2}(;|$)/.test(segment)) || path.includes("//");
}

test("the independent check tells what is within a pattern", () => {
  const covering = (url: string) => PATTERNS.filter((pattern) => isWithin(new URL(url), pattern)).length;
  for (const valid of VALID) {
    assert.equal(covering(valid), 1, valid);
    assert.equal(covering(valid.replace(".example", ".evil")), 0, valid);
  }
  assert.ok(!isWithin(new URL("https://eu-ai.google.example/v1/p/us/models/m"), PATTERNS[2]!));
  assert.ok(escapes(new URL("https://a.example/%252e%252e/x")));
});

test(`no mutation of a valid endpoint is accepted outside its pattern: ${ROUNDS} of them`, () => {
  const policy = { endpoints: PATTERNS.map((pattern, at) => listed([pattern], { name: `${at}` })) };
  const roll = dice(5);
  let accepted = 0;
  let foreign = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const value = mutated(roll);
    const decision = decideOverride(asks(value), policy, {});
    if (decision.type === "refuse") continue;
    accepted++;
    if (!VALID.includes(value)) foreign++;
    const { target } = decision;
    const url = new URL(value);
    assert.ok(isWithin(url, target.pattern), value);
    assert.ok(!escapes(url), value);
    assert.deepEqual(
      [target.url, target.host, target.target, target.secure],
      [url.href, url.hostname, url.pathname + url.search, url.protocol === "https:"],
    );
    assert.equal(target.port, Number(url.port || (target.secure ? 443 : 80)), value);
  }
  // Neither everything nor nothing: what was accepted is mostly new.
  assert.ok(accepted > ROUNDS / 100, `${accepted}`);
  assert.ok(foreign > ROUNDS / 200, `${foreign}`);
  assert.ok(accepted < ROUNDS / 2, `${accepted}`);
});

test("no mutation of an origin or of a request's path is joined to what lies outside the pattern", () => {
  const policy = {
    endpoints: PATTERNS.map((pattern, at) => listed([pattern], { name: `${at}`, join: true })),
  };
  const roll = dice(7);
  let accepted = 0;
  for (let round = 0; round < ROUNDS / 5; round++) {
    const value = mutated(roll);
    const [, origin = value, requestTarget = "/"] = /^([a-z]+:\/\/[^/]*)(.*)$/s.exec(value) ?? [];
    const decision = decideOverride(asks(origin, { requestTarget }), policy, {});
    if (decision.type === "refuse") continue;
    accepted++;
    assert.ok(isWithin(new URL(decision.target.url), decision.target.pattern), value);
    assert.equal(new URL(decision.target.url).href, decision.target.url);
  }
  assert.ok(accepted > ROUNDS / 500, `${accepted}`);
});
