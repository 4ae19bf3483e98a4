import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyEdits, type BodyWish, bodyEdits, type Edit, sizeDelta } from "../../server/body_edits.ts";
import { isObject } from "../../server/routing/preferences.ts";
import { bytesOf, FORM_TYPE, intentOf, JSON_TYPE, part, textOf } from "./intent/set_up.ts";

const headersOf = (body: string) => (body.startsWith("--") ? FORM_TYPE : JSON_TYPE);

interface Edited {
  body: string;
  edits: readonly Edit[];
}

function edited(body: string, wish: BodyWish, whole = true): Edited {
  const bytes = bytesOf(body);
  const { routingText } = intentOf({ headers: headersOf(body), body: bytes, whole });
  const edits = routingText ? bodyEdits(bytes, routingText, wish) : [];
  const result = applyEdits(bytes, edits);
  assert.equal(result.length, bytes.length + sizeDelta(edits));
  return { body: textOf(result), edits };
}

/** Behind a body's first brace: then it is long enough to be walked when it is read, not when it is changed. */
const LONG = `"long":"${"x".repeat(5_000)}",`;
/** Both ways of reading a body make the same of it. */
function check(body: string, wish: BodyWish, becomes: string): void {
  assert.equal(edited(body, wish).body, becomes);
  if (body.startsWith("{") && /^\{\s*"/.test(becomes)) {
    const longer = (text: string) => text.replace("{", `{${LONG}`);
    assert.equal(edited(longer(body), wish).body, longer(becomes));
  }
}

const renames: { name: string; body: string; becomes: string }[] = [
  { name: "alone", body: '{"model":"a"}', becomes: '{"model":"new"}' },
  {
    name: "among odd spaces",
    body: ' {\t"model"\r\n:  "a" , "b":1 }\n',
    becomes: ' {\t"model"\r\n:  "new" , "b":1 }\n',
  },
  { name: "by an escaped name", body: '{"\\u006dodel":"a"}', becomes: '{"\\u006dodel":"new"}' },
  { name: "an escaped value", body: '{"model":"\\u0061\\""}', becomes: '{"model":"new"}' },
  { name: "behind a byte order mark", body: '\ufeff{"model":"a"}', becomes: '{"model":"new"}' },
  {
    name: "all of them",
    body: '{"model":"a","b":1,"model":"c"}',
    becomes: '{"model":"new","b":1,"model":"new"}',
  },
  {
    name: "whatever the first of two is",
    body: '{"model":[1],"model":"c"}',
    becomes: '{"model":"new","model":"new"}',
  },
  {
    name: "at the top only",
    body: '{"a":{"model":"a"},"model":"a"}',
    becomes: '{"a":{"model":"a"},"model":"new"}',
  },
  { name: "not the named one", body: '{"model":"x","model":"new"}', becomes: '{"model":"x","model":"new"}' },
  { name: "not what names none", body: '{"model":7}', becomes: '{"model":7}' },
  { name: "not into a body without", body: '{"models":["a"]}', becomes: '{"models":["a"]}' },
  { name: "not in what is no JSON", body: '{"model":"a"', becomes: '{"model":"a"' },
  {
    name: "in a form",
    body: `${part("file", "é\0", '; filename="a"')}${part("model", "a")}--xx--`,
    becomes: `${part("file", "é\0", '; filename="a"')}${part("model", "new")}--xx--`,
  },
];
for (const { name, body, becomes } of renames) {
  test(`bodyEdits() gives the body another model: ${name}`, () => check(body, { model: "new" }, becomes));
}

const P = '"provider":{"only":["a, }"]}';
const cuts: { name: string; body: string; becomes: string }[] = [
  { name: "the only member", body: `{ ${P} }`, becomes: "{  }" },
  { name: "the first", body: `{${P}, "b":1}`, becomes: '{"b":1}' },
  { name: "one in the middle", body: `{"a":1, ${P} , "b":1}`, becomes: '{"a":1, "b":1}' },
  { name: "the last", body: `{"a":1 , ${P} }`, becomes: '{"a":1 }' },
  { name: "by an escaped name", body: '{"pro\\u0076ider":{},"b":1}', becomes: '{"b":1}' },
  { name: "two apart", body: `{${P},"b":1,${P}}`, becomes: '{"b":1}' },
  { name: "two at the start", body: `{${P},${P},"b":1}`, becomes: '{"b":1}' },
  { name: "two at the end", body: `{"a":1,${P},\n${P}}`, becomes: '{"a":1}' },
  { name: "two alone", body: `{${P},${P}}`, becomes: "{}" },
  { name: "two at the end and one before", body: `{${P},"a":1,${P},${P}}`, becomes: '{"a":1}' },
  { name: "one that another kind stands before", body: `{"provider":"x","a":1,${P}}`, becomes: '{"a":1}' },
  { name: "not what is further in", body: `{"a":{${P}},"b":[{${P}}]}`, becomes: `{"a":{${P}},"b":[{${P}}]}` },
  { name: "not a backend's", body: `{${P},"provider":"x"}`, becomes: `{${P},"provider":"x"}` },
  ...['"x"', '["a"]', "1", "null", "true"].map((value) => ({
    name: `not ${value}, which is its backend's`,
    body: `{"a":1,"provider":${value}}`,
    becomes: `{"a":1,"provider":${value}}`,
  })),
  {
    name: "not in a form",
    body: `${part("provider", "{}")}${part("model", "a")}--xx--`,
    becomes: `${part("provider", "{}")}${part("model", "a")}--xx--`,
  },
];
for (const { name, body, becomes } of cuts) {
  test(`bodyEdits() cuts the preferences out: ${name}`, () =>
    check(body, { withoutPreferences: true }, becomes));
}

test("bodyEdits() changes nothing that is not wished for", () => {
  const body = `{"model":"a",${P}}`;
  for (const wish of [{}, { model: "a" }, { model: undefined }, { withoutPreferences: false }]) {
    const bytes = bytesOf(body);
    const edits = bodyEdits(bytes, intentOf({ headers: JSON_TYPE, body }).routingText!, wish);
    assert.deepEqual(edits, []);
    assert.equal(applyEdits(bytes, edits), bytes);
  }
});

test("bodyEdits() writes any name so that it is read back", () => {
  for (const model of ['a"b\\', "é\u2028😀", "\ud800", "a\nb", ""]) {
    const { body } = edited('{"model":"old"}', { model });
    assert.equal(JSON.parse(body).model, model);
  }
});

test("bodyEdits() edits what is there of a body that goes on", () => {
  const wish = { model: "new", withoutPreferences: true };
  const beginnings: [body: string, becomes: string][] = [
    [`{"model":"a",${P}, `, '{"model":"new",'],
    [`{${P},"model":"a","messages":[{"a`, '{"model":"new","messages":[{"a'],
    ['{"model":"a","provider":{"only":[', '{"model":"new","provider":{"only":['],
    ['{"model":"a', '{"model":"a'],
    [`{"a":1,${P}} `, '{"a":1} '],
  ];
  for (const [body, becomes] of beginnings) {
    assert.equal(edited(body, wish, false).body, becomes);
  }
});

test("bodyEdits() finds more occurrences than anybody remembers", () => {
  const many = (model: string) => `{${Array.from({ length: 2_000 }, () => `"model":"${model}"`).join()}}`;
  assert.equal(intentOf({ headers: JSON_TYPE, body: many("a") }).routingText!.places, undefined);
  assert.equal(edited(many("a"), { model: "new" }).body, many("new"));
});

/** JSON text with members of these names in any order, repetitions and odd spaces. */
const space = fc.constantFrom("", " ", "\n", "\t\r\n ");
const name = fc.constantFrom(
  '"model"',
  '"\\u006dodel"',
  '"provider"',
  '"pro\\u0076ider"',
  '"a"',
  '"é"',
  '""',
);
const value = fc.oneof(
  fc.constantFrom('"m"', '"\\u00e9"', "{}", '{"only":["x,}"]}', '"}"', "null", "-1.5e3"),
  fc.jsonValue({ maxDepth: 2 }).map((any) => JSON.stringify(any)),
);
const member = fc
  .tuple(space, name, space, value, space)
  .map(([a, key, b, of, c]) => `${a}${key}${b}:${b}${of}${c}`);
const document = fc
  .tuple(space, fc.array(member, { maxLength: 6 }), space)
  .map(([a, members, b]) => ({ text: `${a}{${members.join()}}${b}`, isEmpty: members.length === 0 }));

const asked = fc.record({
  document,
  more: fc.constantFrom("", LONG),
  model: fc.string(),
  withoutPreferences: fc.boolean(),
});

test("bodyEdits() changes the wished members and nothing else, in any JSON", () => {
  let changed = 0;
  fc.assert(
    fc.property(asked, ({ document: { text, isEmpty }, more, model, withoutPreferences }) => {
      const body = isEmpty ? text : text.replace("{", `{${more}`);
      const wanted = JSON.parse(body);
      const { body: result, edits } = edited(body, { model, withoutPreferences });
      if (withoutPreferences && isObject(wanted.provider)) delete wanted.provider;
      if (typeof wanted.model === "string" && wanted.model !== "") wanted.model = model;
      assert.deepEqual(JSON.parse(result), wanted);
      assert.equal(textOf(applyEdits(bytesOf(result), inverse(body, edits))), body);
      if (edits.length > 0) changed++;
    }),
    { numRuns: 3_000 },
  );
  assert.ok(changed > 300, `${changed} changed`);
});

/** Puts back what was there: that gives the original only if nothing outside of the edits was touched. */
function inverse(body: string, edits: readonly Edit[]): Edit[] {
  const bytes = bytesOf(body);
  let shift = 0;
  return edits.map(({ start, end, bytes: put }, at) => {
    assert.ok(at === 0 || start >= edits[at - 1]!.end, "in order, without overlap");
    const from = start + shift;
    shift += put.length - (end - start);
    return { start: from, end: from + put.length, bytes: bytes.subarray(start, end) };
  });
}
