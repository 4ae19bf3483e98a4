import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { locate } from "../architecture/source_tree.ts";
import { endWithTests } from "./children.ts";
import { BINARY, BUN, DENO } from "./runtimes.ts";
import { ScratchFolder } from "./scratch_folder.ts";

/** A systemd that a test boots for itself: `systemd_stand.sh` tells how. */

const PROJECT = locate("");
const THERE = "/opt/signalbox";

/** Why it cannot be booted here, whatever must not be skipped: few machines allow it. */
export function noStand(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs Linux and root";
  if (!existsSync("/lib/systemd/systemd")) return "needs systemd";
  const probe = spawnSync("unshare", [
    ...["--fork", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup"],
    ...[
      "sh",
      "-c",
      "mount -t tmpfs tmpfs /mnt && mount -t cgroup2 cgroup2 /mnt && test -w /mnt/cgroup.procs",
    ],
  ]);
  if (probe.status !== 0) return "needs namespaces and cgroup v2";
  return spawnSync("grep", ["-q", "overlay", "/proc/filesystems"]).status === 0
    ? undefined
    : "needs overlayfs";
}

/** The program under test as a command of a shell there. */
export function programThere(): string {
  const there = (path: string) => join(THERE, path.slice(PROJECT.length));
  const commands: Record<string, string> = {
    bun: `${there(BUN)} ${THERE}/main.ts`,
    deno: `${there(DENO)} run -A --no-check ${THERE}/main.ts`,
    binary: there(BINARY),
  };
  return commands[process.env.SIGNALBOX_TEST_RUNTIME ?? "bun"]!;
}

/** Boot it, run a script of bash in it as root, and give what that printed. */
export async function runThere(script: string): Promise<{ stdout: string; stderr: string }> {
  using folder = new ScratchFolder();
  folder.write("inside.sh", script);
  const child = spawn("bash", [join(import.meta.dirname, "systemd_stand.sh"), PROJECT, folder.path], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  endWithTests(child);
  await new Promise((resolve) => child.on("close", resolve));
  const written = (name: string) => (folder.has(name) ? folder.read(name) : "");
  return { stdout: written("out.txt"), stderr: written("err.txt") + written("systemd.txt") };
}
