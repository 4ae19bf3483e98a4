import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { locate } from "../architecture/source_tree.ts";
import { needsBinary, Program } from "../support/program.ts";
import { BINARY } from "../support/runtimes.ts";
import { ScratchFolder } from "../support/scratch_folder.ts";

/** Mounts what a container's runtime does, makes the rest read-only, and becomes the program as the image's user. */
const ENTER = `mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -o remount,bind,ro "$1"
root=$1; shift
exec chroot --userspec=65532:65532 "$root" /usr/local/bin/signalbox "$@"`;

/** There is no builder of images where the tests are: what its last step copies is enough. */
test("the files of the image are all that a relay needs", {
  skip: needsBinary() ?? noContainer(),
}, async () => {
  using image = new ScratchFolder();
  const licenses = image.write("licenses.txt", "Of what is in it");
  execFileSync("sh", [locate("deploy/docker/assemble.sh"), BINARY, licenses, image.at("root")]);
  assert.equal(image.read("root/usr/share/doc/signalbox/licenses.txt"), "Of what is in it");
  assert.match(image.read("root/usr/share/doc/libc6/copyright"), /LGPL/);
  for (const mounted of ["root/proc", "root/dev"]) mkdirSync(image.at(mounted));
  const args = ["--mount", "sh", "-euc", ENTER, "sh", image.at("root"), "serve", "--listen", "0.0.0.0:0"];
  await using relay = new Program(args, {
    executable: "unshare",
    env: { SIGNALBOX_WORKER_SECRET: "a secret of the tests" },
  });
  const [, port] = await relay.says(/listening on http:\/\/0\.0\.0\.0:(\d+)/);
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  assert.deepEqual(await health.json(), { status: "ok", workers_connected: 0 });
  relay.signal("SIGTERM");
  assert.equal(await relay.exited, 0);
});

function noContainer(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs Linux and root";
  return spawnSync("unshare", ["--mount", "true"]).status === 0 ? undefined : "needs namespaces";
}
