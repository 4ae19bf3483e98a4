import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { watchSecret } from "../../../server/override/secret_source.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { logged } from "../../support/logged.ts";

test("watchSecret() reads a file again within a second of its change, and keeps the old text when it is gone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-secret-"));
  const file = join(folder, "token");
  const clock = new FakeClock();
  try {
    writeFileSync(file, " first\n");
    const secret = watchSecret({ file }, clock);
    assert.equal(secret(), "first");
    writeFileSync(file, "the second\n");
    assert.equal(secret(), "first");
    clock.advance(1000);
    assert.equal(secret(), "the second");
    rmSync(file);
    const complaint = await logged(() => {
      for (let second = 0; second < 3; second++) {
        clock.advance(1000);
        assert.equal(secret(), "the second");
      }
    });
    assert.equal(complaint.match(/ERROR A secret cannot be read again/g)?.length, 1, complaint);
    writeFileSync(file, "third");
    clock.advance(1000);
    assert.equal(secret(), "third");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("watchSecret() takes variables and systemd's credentials, and says what is missing but not what is there", () => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-secret-"));
  const clock = new FakeClock();
  try {
    writeFileSync(join(folder, "vertex"), "from systemd");
    process.env.CREDENTIALS_DIRECTORY = folder;
    process.env.SIGNALBOX_TEST_SECRET = "from the environment";
    assert.equal(watchSecret({ credential: "vertex" }, clock)(), "from systemd");
    assert.equal(watchSecret({ env: "SIGNALBOX_TEST_SECRET" }, clock)(), "from the environment");
    assert.throws(() => watchSecret({ env: "SIGNALBOX_TEST_NONE" }, clock), /SIGNALBOX_TEST_NONE/);
    assert.throws(() => watchSecret({ credential: "none" }, clock), /none/);
  } finally {
    delete process.env.CREDENTIALS_DIRECTORY;
    delete process.env.SIGNALBOX_TEST_SECRET;
    rmSync(folder, { recursive: true });
  }
});
