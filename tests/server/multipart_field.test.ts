import assert from "node:assert/strict";
import { test } from "node:test";
import { multipartField } from "../../server/multipart_field.ts";
import { bytesOf, part, textOf } from "./intent/set_up.ts";

const form = `${part("file", "RIFF\0", '; filename="a.wav"')}${part("model", "whisper")}--xx--\r\n`;
const TYPE = "multipart/form-data; boundary=xx";
const fields: { name: string; body: string; type?: string; value: string | undefined }[] = [
  { name: "first", body: `${part("model", "m")}--xx--`, value: "m" },
  { name: "behind a preamble", body: `hello\r\n${part("model", "m")}--xx--`, value: "m" },
  { name: "empty", body: `${part("model", "")}--xx--`, value: "" },
  { name: "in UTF-8", body: `${part("model", "é")}--xx--`, value: "é" },
  {
    name: "in a quoted boundary's form",
    type: 'multipart/form-data; charset=x; Boundary="xx"',
    body: form,
    value: "whisper",
  },
  {
    name: "without quotes and with more lines",
    body: "--xx\r\nX-A: b\r\ncontent-disposition: form-data;name=model\r\nA: b\r\n\r\nm\r\n--xx--",
    value: "m",
  },
  {
    name: "not a file of that name",
    body: `${part("model", "m", '; filename="a"')}--xx--`,
    value: undefined,
  },
  { name: "not a longer name", body: `${part("model2", "m")}--xx--`, value: undefined },
  { name: "not what is cut off", body: part("model", "m"), value: undefined },
  {
    name: "not of the text of a file",
    body: `${part("file", 'name="model"\r\n\r\nno', '; filename="a"')}${part("model", "m")}--xx--`,
    value: "m",
  },
  {
    name: "not a value too long for a name",
    body: `${part("model", "m".repeat(1_025))}--xx--`,
    value: undefined,
  },
  {
    name: "not behind a hundred parts",
    body: `${part("a", "b").repeat(100)}${part("model", "m")}--xx--`,
    value: undefined,
  },
  { name: "not without a boundary", type: "multipart/form-data", body: form, value: undefined },
];
for (const { name, body, type = TYPE, value } of fields) {
  test(`multipartField() finds a field: ${name}`, () =>
    assert.equal(multipartField(bytesOf(body), type, "model")?.value, value));
}

test("multipartField() says where the value stands", () => {
  const body = bytesOf(`${part("file", "é", '; filename="a"')}${part("model", "wé")}--xx--`);
  const { start, end } = multipartField(body, TYPE, "model")!;
  assert.equal(textOf(body.subarray(start, end)), "wé");
});
