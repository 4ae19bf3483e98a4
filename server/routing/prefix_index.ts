import { hasDotSegment } from "../../shared/path_of.ts";
import type { PrefixGroup, PrefixMatch, WorkerSnapshot } from "./types.ts";

interface Group extends PrefixGroup {
  readonly workers: Set<WorkerSnapshot>;
  available: number;
}

/**
 * Looks up a path by its beginnings that are as long as some prefix: that costs what different lengths there are, not
 * how many prefixes there are or how long a client makes its path.
 */
export class PrefixIndex {
  /** By their list of prefixes. */
  readonly #groups = new Map<string, Group>();
  /** Of each prefix, as it is written, the groups that have it. */
  readonly #byPrefix = new Map<string, Set<Group>>();
  /** Lengths of the prefixes, and how many groups have one of each. */
  readonly #lengths = new Map<number, number>();
  /** The same of those that end in `*`, which does not count. */
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
    if (hasDotSegment(path)) return this.#byPrefix.has("/") ? ["/"] : [];
    const found: string[] = [];
    for (const length of this.#lengths.keys()) {
      if (!endsSegment(path, length)) continue;
      const prefix = path.slice(0, length);
      if (this.#byPrefix.has(prefix)) found.push(prefix);
    }
    for (const length of this.#starLengths.keys()) {
      const prefix = `${path.slice(0, length)}*`;
      if (length <= path.length && this.#byPrefix.has(prefix)) found.push(prefix);
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
      this.#countLength(prefix, 1);
    }
    return group;
  }

  #close(key: string, group: Group): void {
    this.#groups.delete(key);
    for (const prefix of written(group.endpointPrefixes)) {
      const having = this.#byPrefix.get(prefix)!;
      having.delete(group);
      if (having.size === 0) this.#byPrefix.delete(prefix);
      this.#countLength(prefix, -1);
    }
  }

  #countLength(prefix: string, by: 1 | -1): void {
    const isStar = prefix.endsWith("*");
    const lengths = isStar ? this.#starLengths : this.#lengths;
    const length = isStar ? prefix.length - 1 : prefix.length;
    const count = (lengths.get(length) ?? 0) + by;
    if (count === 0) lengths.delete(length);
    else lengths.set(length, count);
  }
}

const SLASH = 0x2f;

/** Whether a path's first characters are whole segments of it. The first alone is `/`, which every path is below. */
function endsSegment(path: string, length: number): boolean {
  return length === 1 || length === path.length || path.charCodeAt(length) === SLASH;
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
