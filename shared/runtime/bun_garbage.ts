// https://bun.com/docs/api/utils#bun-gc

/** About a hundredth of a second at the speed of loopback, and never for small answers. */
const COLLECT_AFTER_BYTES = 8 * 1024 * 1024;

/** Smaller buffers are left to the collector, which sees them for what they are. */
const LARGE_BYTES = 16 * 1024;

let passedBytes = 0;

/**
 * A large buffer went through. Bun makes a new one for each read, and its collector does not count what they hold:
 * a gigabyte that passes leaves tens of megabytes behind. Asked to collect now and then, on a thread of its own, a
 * transfer is not slower (bench/bulk.ts: 10 to 20 % faster) and the process stays smaller.
 */
export function passed(bytes: number): void {
  if (bytes < LARGE_BYTES) return;
  passedBytes += bytes;
  if (passedBytes < COLLECT_AFTER_BYTES) return;
  passedBytes = 0;
  Bun.gc(false);
}
