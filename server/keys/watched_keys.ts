import type { Clock } from "../../shared/clock.ts";
import { readText } from "../../shared/command_line/read_text.ts";
import { fileVersion } from "../../shared/file_version.ts";
import { log } from "../../shared/log.ts";
import { type ClientKeyMap, parseKeys } from "./keys_file.ts";

/** A person who took a key out of the file waits for it to be gone; a request should not wait for the disk. */
const LOOK_INTERVAL_MS = 1000;

/**
 * The keys of a file, read again when it changes. A new version that cannot be read is logged and the old one
 * stays: a slip of the editor must not lock everybody out.
 *
 * @throws CommandError when the file cannot be read at the start
 */
export function watchKeys(path: string, clock: Clock): () => ClientKeyMap {
  let version = fileVersion(path);
  let keys = parseKeys(path, readText(path));
  let lookedMs = clock.nowMs();

  function readAgain() {
    lookedMs = clock.nowMs();
    const found = fileVersion(path);
    if (found === version) return;
    version = found;
    try {
      keys = parseKeys(path, readText(path));
      log.info("API keys were read again", { path, count: keys.size });
    } catch (error) {
      log.error("API keys cannot be read again, the old ones stay", { path, error });
    }
  }

  return () => {
    if (clock.nowMs() - lookedMs >= LOOK_INTERVAL_MS) readAgain();
    return keys;
  };
}
