import type { Clock, Timer } from "../shared/clock.ts";
import { readTls } from "../shared/command_line/read_tls.ts";
import { fileVersion } from "../shared/file_version.ts";
import { log } from "../shared/log.ts";

/** Certificates are renewed weeks before they expire. */
const LOOK_INTERVAL_MS = 5_000;

/**
 * Calls `renewed` when the certificate's file changed. A pair that cannot be read leaves the old one in use. The two
 * files are rarely written in one instant, so both must be older than the last look.
 */
export function watchTls(
  { certPath, keyPath }: { certPath: string; keyPath: string },
  clock: Clock,
  renewed: (tls: { certPem: string; keyPem: string }) => void,
): () => void {
  const version = () => `${fileVersion(certPath)} ${fileVersion(keyPath)}`;
  let used = version();
  let seen = used;
  let timer: Timer;
  const look = () => {
    const now = version();
    if (now !== used && now === seen) {
      used = now;
      try {
        renewed(readTls(certPath, keyPath));
        log.info("The certificate was read again", { path: certPath });
      } catch (cause) {
        log.error("The certificate cannot be read again, the old one stays", { path: certPath, cause });
      }
    }
    seen = now;
    timer = clock.after(LOOK_INTERVAL_MS, look);
  };
  timer = clock.after(LOOK_INTERVAL_MS, look);
  return () => timer.cancel();
}
