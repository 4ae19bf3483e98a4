import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { commitOf } from "../../shared/commit.ts";

const hasGit = process.env.SIGNALBOX_TEST_REQUIRE_ALL || spawnSync("git", ["--version"]).status === 0;
const options = hasGit ? {} : { skip: "needs git" };

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-commit-"));
  after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function repository(): { folder: string; digits: string } {
  const folder = emptyFolder();
  const somebody = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"];
  const git = (...args: string[]) =>
    execFileSync("git", [...somebody, ...args], { cwd: folder, encoding: "utf8" });
  writeFileSync(join(folder, "known"), "1\n");
  git("init", "--quiet");
  git("add", "known");
  git("commit", "--quiet", "--no-gpg-sign", "--message", "first");
  git("tag", "v1");
  return { folder, digits: git("rev-parse", "HEAD").slice(0, 7) };
}

test("a commit is seven digits, and dirty when a file that git knows was changed", options, () => {
  const { folder, digits } = repository();
  writeFileSync(join(folder, "unknown"), "1\n");
  assert.equal(commitOf(folder), digits);
  writeFileSync(join(folder, "known"), "2\n");
  assert.equal(commitOf(folder), `${digits}-dirty`);
});

test("a repository above the folder is not the folder's", options, () => {
  const { folder } = repository();
  const below = join(folder, "below");
  mkdirSync(below);
  assert.equal(commitOf(below), undefined);
});

test("a folder without a repository has no commit, nor has one that is not there", () => {
  const folder = emptyFolder();
  assert.equal(commitOf(folder), undefined);
  assert.equal(commitOf(join(folder, "none")), undefined);
});
