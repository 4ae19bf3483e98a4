// https://bun.com/docs/api/utils#bun-gc
import { LARGE_BYTES } from "../release.ts";

/** About a hundredth of a second at the speed of loopback, and never for small answers. */
const COLLECT_AFTER_BYTES = 8 * 1024 * 1024;

let passedBytes = 0;

/**
 * Much went through at once. What is large of it was released, what it was cut into is garbage: views of a hundred bytes,
 * or texts of a plain link, which cannot be released. Bun's collector leaves hundreds of megabytes of these lie while
 * 500 streams begin; asked to look now and then, on a thread of its own, it costs a transfer nothing (bench/bulk.ts).
 */
export function passed(bytes: number): void {
  if (bytes < LARGE_BYTES) return;
  passedBytes += bytes;
  if (passedBytes < COLLECT_AFTER_BYTES) return;
  passedBytes = 0;
  Bun.gc(false);
}
