import { spawnSync } from "node:child_process";

/** Without any link to the outside: on its loopback every port is free. https://man7.org/linux/man-pages/man1/unshare.1.html */
const OWN_NETWORK = [
  "unshare",
  "--map-root-user",
  "--net",
  "sh",
  "-c",
  'ip link set lo up && exec "$@"',
  "sh",
];

/** The command, in a network of its own. */
export function inOwnNetwork(...command: string[]): [command: string, ...args: string[]] {
  return [...OWN_NETWORK, ...command] as [string, ...string[]];
}

/** Why there can be no such network here; undefined when there can. */
export function noOwnNetwork(): string | undefined {
  const [command, ...args] = inOwnNetwork("true");
  return spawnSync(command, args).status === 0
    ? undefined
    : "needs Linux, unshare, ip, and the right to use them";
}
