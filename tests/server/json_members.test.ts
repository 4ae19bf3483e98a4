import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  findMembers,
  type JsonMembers,
  OTHERS_MAX,
  readMembers,
  valueAt,
} from "../../server/json_members.ts";

const NAMES = ["model", "stream", "provider"];
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What `JSON.parse` finds of the wanted members; undefined when the text is no object. */
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(
      NAMES.filter((name) => Object.hasOwn(value, name)).map((name) => [name, value[name]]),
    );
  } catch {
    return undefined;
  }
}

function found(bytes: Uint8Array): Record<string, unknown> | undefined {
  const { wanted, whole } = findMembers(bytes, NAMES);
  return whole
    ? Object.fromEntries([...wanted].map(([name, members]) => [name, valueAt(bytes, members.at(-1)!)]))
    : undefined;
}

const agree = (text: string) => assert.deepEqual(found(bytesOf(text)), parsed(text), text);

/** At every border of the grammar: right, and wrong by a little. */
const edges = [
  ...'{} [] null 1 "" '.split(" "),
  '{"model":"m"}',
  ' \t\r\n{ "model" : "m" , "stream" : true } \n',
  '{"model":"m","model":"n"}',
  '{"model":1,"model":{"model":2}}',
  '{"a":{"model":"x"},"b":["model","y"],"model":"m"}',
  '{"mod\\u0065l":"m"}',
  '{"\\u006Dodel":"m","model\\n":1}',
  '{"model":"\\"}{\\\\"}',
  '{"model":"\\u00e9é\\ud83d\\ude00😀"}',
  '{"model":"\\ud800"}',
  '{"model":"\\u12"}',
  '{"model":"\\x"}',
  '{"model":"\\',
  '{"model":"a\nb"}',
  '{"model":"a\u007f"}',
  '{"model":tru}',
  '{"model":true}',
  '{"model":nulll}',
  '{"model":0}',
  '{"model":-0}',
  '{"model":01}',
  '{"model":-}',
  '{"model":1.}',
  '{"model":.5}',
  '{"model":1.5e+3}',
  '{"model":1e}',
  '{"model":1e-}',
  '{"model":1E5}',
  '{"model":+1}',
  '{"model":1 2}',
  '{"model":[]}',
  '{"model":[1,]}',
  '{"model":[,1]}',
  '{"model":[1 2]}',
  '{"model":[1}',
  '{"model":{"a":1]}',
  '{"model":{"a"}}',
  '{"model":{"a":}}',
  '{"model":{"a":1,}}',
  '{"model":{,"a":1}}',
  '{"model":{1:1}}',
  '{"model"}',
  '{"model":}',
  '{"model":1,}',
  '{,"model":1}',
  "{model:1}",
  "{'model':1}",
  '{"model":1}}',
  '{"model":1}{',
  '{"model":1',
  '{"model":',
  '{"model"',
  '{"mod',
  "{",
  "",
  '{"model":1/**/}',
  '{"":1,"model":2}',
  '{"__proto__":{"model":1},"model":2}',
  '{"model":[[[[[[{"a":[{}]}]]]]]]}',
  '{"a":"\\\\","model":"m"}',
  '{"model":[[]]]}',
  '\u00a0{"model":1}',
];

for (const text of edges) {
  test(`findMembers() agrees with JSON.parse on ${JSON.stringify(text)}`, () => agree(text));
}

test("findMembers() agrees with JSON.parse on any JSON, and on what is nearly JSON", () => {
  const value = fc.jsonValue({ maxDepth: 4 });
  const object = fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), value);
  const style = fc.constantFrom(undefined, 1, "\t");
  const damage = fc.record({
    at: fc.nat(),
    cut: fc.nat(3),
    put: fc.constantFrom("", '"', "\\", "{", "}", "[", "]", ",", ":", "0", "-", " ", "e"),
  });
  let whole = 0;
  let broken = 0;
  fc.assert(
    fc.property(object, style, damage, (members, space, { at, cut, put }) => {
      const text = JSON.stringify(members, null, space);
      agree(text);
      const from = at % text.length;
      const damaged = text.slice(0, from) + put + text.slice(from + cut);
      // A lone surrogate does not survive encoding; it is the same on both sides after it.
      const decoded = new TextDecoder().decode(bytesOf(damaged));
      agree(decoded);
      if (parsed(decoded)) whole++;
      else broken++;
    }),
    { numRuns: 3_000 },
  );
  assert.ok(whole > 100 && broken > 100, `${whole} whole, ${broken} broken`);
});

test("findMembers() agrees with JSON.parse on bytes that are no UTF-8", () => {
  const alphabet = fc.constantFrom(
    ...'{}[]":,\\ model1tre'.split("").map((one) => one.charCodeAt(0)),
    0xff,
    0xc3,
    0xa9,
    0x80,
  );
  const inside = fc
    .uint8Array({ maxLength: 20 })
    .map((bytes) => [...bytes].filter((byte) => byte >= 0x20 && byte !== 0x22 && byte !== 0x5c));
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 30 }), inside, (noise, text) => {
      for (const bytes of [
        new Uint8Array(noise),
        new Uint8Array([...bytesOf('{"model":"'), ...text, ...bytesOf('"}')]),
      ]) {
        assert.deepEqual(found(bytes), parsed(new TextDecoder().decode(bytes)));
      }
    }),
    { numRuns: 2_000 },
  );
});

test("findMembers() skips a byte order mark", () => {
  assert.deepEqual(found(bytesOf('\ufeff{"model":"m"}')), { model: "m" });
});

test("findMembers() survives any depth", () => {
  const text = `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)},"model":"m"}`;
  assert.deepEqual(found(bytesOf(text)), { model: "m" });
});

test("findMembers() gives the bytes of a value and nothing round it", () => {
  const text = '{"a":1, "provider" : {"only":["é"]} ,"b":2}';
  const bytes = bytesOf(text);
  const { start, end } = findMembers(bytes, NAMES).wanted.get("provider")![0]!;
  assert.equal(new TextDecoder().decode(bytes.subarray(start, end)), '{"only":["é"]}');
});

const long = `"${"x".repeat(5_000)}"`;
const beginnings: { text: string; found: Record<string, unknown> }[] = [
  { text: '{"model":"m","messages":[{"role', found: { model: "m" } },
  { text: '{"messages":[],"model":"m', found: {} },
  { text: '{"model":12', found: {} },
  { text: '{"model":"m"', found: {} },
  { text: '{"model":"m",', found: { model: "m" } },
  { text: '{"model":"m","model":"n', found: { model: "m" } },
  { text: `{"a":${long},"model":"m","b`, found: { model: "m" } },
];
const valuesOf = (members: JsonMembers | undefined) =>
  members &&
  Object.fromEntries(
    NAMES.map((name) => [name, members.value(name)]).filter(([, value]) => value !== undefined),
  );

for (const { text, found } of beginnings) {
  test(`readMembers() finds in the beginning ${text.slice(0, 40)} what is complete`, () => {
    assert.deepEqual(valuesOf(readMembers(bytesOf(text), NAMES, false)), found);
    assert.equal(readMembers(bytesOf(text), NAMES, true), undefined);
  });
}

test("readMembers() finds the same in short and long bodies", () => {
  for (const filler of ['""', long]) {
    const text = `{"stream":true,"\\u0061":${filler},"model":"m","b":null,"stream":false,"c":1,"c":null,"provider":{"only":["a"]}}`;
    const members = readMembers(bytesOf(text), NAMES, true);
    assert.deepEqual(valuesOf(members), { stream: false, model: "m", provider: { only: ["a"] } });
    assert.deepEqual(members!.otherNames(), ["a"]);
    assert.equal(readMembers(bytesOf(`[${text}]`), NAMES, true), undefined);
  }
});

test("readMembers() gives up on other names when there are too many", () => {
  for (const filler of ['""', long]) {
    const text = (count: number) =>
      `{"model":${filler},${Array.from({ length: count }, (_, at) => `"p${at}":1`).join()}}`;
    const names = (count: number) => readMembers(bytesOf(text(count)), NAMES, true)!.otherNames();
    assert.equal(names(OTHERS_MAX)?.length, OTHERS_MAX);
    assert.equal(names(OTHERS_MAX + 1), undefined);
  }
});
