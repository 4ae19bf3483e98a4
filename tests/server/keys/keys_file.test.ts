import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseKeys } from "../../../server/keys/keys_file.ts";
import { watchKeys } from "../../../server/keys/watched_keys.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { logged } from "../../support/logged.ts";

const HASH = "a".repeat(64);
const entry = (name: string, hash = HASH, more = "") =>
  `[[key]]\nname = "${name}"\nsha256 = "${hash}"\n${more}\n`;

const WRONG: [text: string, message: string, hint?: string][] = [
  ["[[key]", "Cannot read k.toml: line 1, column"],
  [entry("a", "abc"), "Cannot read k.toml: key 1 sha256: sha256 must be 64 hexadecimal digits"],
  [`[[key]]\nsha256 = "${HASH}"`, "Cannot read k.toml: key 1 name: "],
  [entry("a", HASH, 'scope = ["x"]'), 'Cannot read k.toml: key 1: Unrecognized key: "scope"'],
  [
    entry("a", HASH, 'scopes = ["inferense"]'),
    'Cannot read k.toml: there is no scope "inferense"',
    "did you mean inference?",
  ],
  [entry("a") + entry("b", HASH.toUpperCase()), 'Cannot read k.toml: "a" and "b" are the same key'],
  ["keys = []", 'Cannot read k.toml: Unrecognized key: "keys"'],
];

test("parseKeys() says which entry is wrong and why", () => {
  for (const [text, message, hint] of WRONG) {
    assert.throws(
      () => parseKeys("k.toml", text),
      (error: Error & { hint?: string }) => {
        assert.ok(error.message.startsWith(message), error.message);
        if (hint) assert.equal(error.hint, hint);
        return true;
      },
    );
  }
});

test("a key is for inference unless it says otherwise", () => {
  assert.deepEqual([...parseKeys("k.toml", entry("a")).get(HASH)!.scopes], ["inference"]);
  assert.equal(parseKeys("k.toml", "").size, 0);
});

const folder = mkdtempSync(join(tmpdir(), "signalbox-keys-"));
after(() => rmSync(folder, { recursive: true }));

test("the file is read again when it changed, at most each second, and a broken one keeps the old keys", async () => {
  const path = join(folder, "keys.toml");
  const put = (text: string) => writeFileSync(path, text);
  const clock = new FakeClock();
  put(entry("a"));
  const keys = watchKeys(path, clock);
  const names = () => [...keys().values()].map(({ name }) => name);
  assert.deepEqual(names(), ["a"]);

  put(entry("a") + entry("bob", "b".repeat(64)));
  clock.advance(999);
  assert.deepEqual(names(), ["a"]);
  clock.advance(1);
  assert.deepEqual(names(), ["a", "bob"]);

  put("[[key]\nbroken");
  const complaint = await logged(() => {
    for (let i = 0; i < 3; i++) {
      clock.advance(1000);
      assert.deepEqual(names(), ["a", "bob"]);
    }
  });
  assert.equal(complaint.match(/ERROR API keys cannot be read again/g)?.length, 1, complaint);

  rmSync(path);
  assert.match(
    await logged(() => {
      clock.advance(1000);
      assert.deepEqual(names(), ["a", "bob"]);
    }),
    /no such file/,
  );

  put(entry("carol"));
  clock.advance(1000);
  assert.deepEqual(names(), ["carol"]);
});

test("a file that was swapped without a newer date or another length is noticed", () => {
  const path = join(folder, "swapped.toml");
  const clock = new FakeClock();
  writeFileSync(path, entry("a"));
  const { atime, mtime } = statSync(path);
  const keys = watchKeys(path, clock);
  writeFileSync(`${path}.new`, entry("b"));
  utimesSync(`${path}.new`, atime, mtime);
  renameSync(`${path}.new`, path);
  clock.advance(1000);
  assert.equal([...keys().values()][0]?.name, "b");
});

test("a file that cannot be read at the start is an error", () => {
  assert.throws(() => watchKeys(join(folder, "none.toml"), new FakeClock()), /there is no such file/);
});
