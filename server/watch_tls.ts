import { statSync } from "node:fs";
import type { Clock, Timer } from "../shared/clock.ts";
import { readText } from "../shared/command_line/read_text.ts";
import { log } from "../shared/log.ts";

/** Certificates are renewed weeks before they expire. */
const LOOK_INTERVAL_MS = 5_000;

/**
 * Calls `renewed` when the certificate's file changed. A pair that cannot be read leaves the old one in use. The two
 * files are rarely written in one instant, so both must be older than the last look.
 */
export function watchTls(
  { tlsCert, tlsKey }: { tlsCert?: string | undefined; tlsKey?: string | undefined },
  clock: Clock,
  renewed: (tls: { certPem: string; keyPem: string }) => void,
): () => void {
  if (!tlsCert || !tlsKey) return () => {};
  let used = version(tlsCert, tlsKey);
  let seen = used;
  let timer: Timer;
  const look = () => {
    const now = version(tlsCert, tlsKey);
    if (now !== used && now === seen) {
      used = now;
      try {
        renewed({ certPem: readText(tlsCert), keyPem: readText(tlsKey) });
        log.info("The certificate was read again", { path: tlsCert });
      } catch (cause) {
        log.error("The certificate cannot be read again, the old one stays", { path: tlsCert, cause });
      }
    }
    seen = now;
    timer = clock.after(LOOK_INTERVAL_MS, look);
  };
  timer = clock.after(LOOK_INTERVAL_MS, look);
  return () => timer.cancel();
}

function version(...paths: string[]): string {
  return paths.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? "gone").join(" ");
}
