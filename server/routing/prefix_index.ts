import type { PrefixGroup, PrefixMatch, WorkerSnapshot } from "./types.ts";

interface Group extends PrefixGroup {
  readonly workers: Set<WorkerSnapshot>;
  available: number;
}

/** A path is looked up by its parts, so that it costs what it is long, not how many lists of prefixes there are. */
export class PrefixIndex {
  /** By their list of prefixes. */
  readonly #groups = new Map<string, Group>();
  /** Of each prefix, as it is written, the groups that have it. */
  readonly #byPrefix = new Map<string, Set<Group>>();
  /** Lengths of the prefixes that end in `*`, without it, and how many there are of each. */
  readonly #starLengths = new Map<number, number>();
  /** What was found, by the prefixes that matched: few, whatever paths clients think of. */
  readonly #found = new Map<string, PrefixMatch>();

  add(worker: WorkerSnapshot): void {
    const key = keyOf(worker);
    const group = this.#groups.get(key) ?? this.#open(key, worker.endpointPrefixes);
    group.workers.add(worker);
    if (isAvailable(worker)) group.available++;
    this.#found.clear();
  }

  /** A worker as it was when it was added. */
  remove(worker: WorkerSnapshot): void {
    const key = keyOf(worker);
    const group = this.#groups.get(key)!;
    group.workers.delete(worker);
    if (isAvailable(worker)) group.available--;
    if (group.workers.size === 0) this.#close(key, group);
    this.#found.clear();
  }

  matching(path: string): PrefixMatch {
    const prefixes = this.#prefixesOf(path);
    const key = prefixes.join("\n");
    let match = this.#found.get(key);
    if (!match) {
      match = this.#match(prefixes);
      this.#found.set(key, match);
    }
    return match;
  }

  #match(prefixes: readonly string[]): PrefixMatch {
    const groups = new Set<Group>();
    for (const prefix of prefixes) for (const group of this.#byPrefix.get(prefix)!) groups.add(group);
    let available = 0;
    for (const group of groups) available += group.available;
    return { groups: [...groups], available };
  }

  /** Those of the known prefixes that match the path, by the rules of `pathMatches`. */
  #prefixesOf(path: string): string[] {
    const found: string[] = [];
    const look = (prefix: string) => {
      if (this.#byPrefix.has(prefix)) found.push(prefix);
    };
    look("/");
    for (let end = path.indexOf("/", 1); end !== -1; end = path.indexOf("/", end + 1))
      look(path.slice(0, end));
    if (path !== "/") look(path);
    for (const length of this.#starLengths.keys()) {
      if (length <= path.length) look(`${path.slice(0, length)}*`);
    }
    return found;
  }

  #open(key: string, endpointPrefixes: readonly string[]): Group {
    const group = { endpointPrefixes, workers: new Set<WorkerSnapshot>(), available: 0 };
    this.#groups.set(key, group);
    for (const prefix of written(endpointPrefixes)) {
      const having = this.#byPrefix.get(prefix);
      if (having) having.add(group);
      else this.#byPrefix.set(prefix, new Set([group]));
      if (prefix.endsWith("*")) this.#countStar(prefix.length - 1, 1);
    }
    return group;
  }

  #close(key: string, group: Group): void {
    this.#groups.delete(key);
    for (const prefix of written(group.endpointPrefixes)) {
      const having = this.#byPrefix.get(prefix)!;
      having.delete(group);
      if (having.size === 0) this.#byPrefix.delete(prefix);
      if (prefix.endsWith("*")) this.#countStar(prefix.length - 1, -1);
    }
  }

  #countStar(length: number, by: 1 | -1): void {
    const count = (this.#starLengths.get(length) ?? 0) + by;
    if (count === 0) this.#starLengths.delete(length);
    else this.#starLengths.set(length, count);
  }
}

/** No prefix at all means every path. */
function written(endpointPrefixes: readonly string[]): ReadonlySet<string> {
  return new Set(endpointPrefixes.length === 0 ? ["/"] : endpointPrefixes);
}

function keyOf({ endpointPrefixes }: WorkerSnapshot): string {
  return JSON.stringify(endpointPrefixes);
}

function isAvailable({ draining, healthy }: WorkerSnapshot): boolean {
  return !draining && healthy;
}
