import { X509Certificate } from "node:crypto";
import { statSync } from "node:fs";
import { CommandError } from "../../shared/command_line/command_error.ts";
import { type Finding, ok, problem, warning } from "../../shared/command_line/findings.ts";
import { readTls } from "../../shared/command_line/read_tls.ts";
import { isLoopback } from "../../shared/settings/addresses.ts";
import type { ServeSettings } from "../settings.ts";

/** Let's Encrypt's clients renew a month before the end: what is left after half of that was not renewed. */
const SOON_DAYS = 14;
const DAY_MS = 86_400_000;

/** Whether the certificate is good, and what it means when there is none. */
export function* tlsFindings(settings: ServeSettings, nowMs: number): Generator<Finding> {
  const { tlsCert, tlsKey, listen, trustedProxies } = settings;
  if (!tlsCert || !tlsKey) {
    yield isLoopback(listen.host)
      ? ok("tls", "off, which is right on this machine alone")
      : trustedProxies.length > 0
        ? ok("tls", "off: it is the proxy's in front")
        : warning(
            "tls",
            `off: who is on the way to ${listen.host} reads keys, secrets and prompts`,
            "give --tls-cert and --tls-key, or put a proxy with TLS in front and name it in --trusted-proxy",
          );
    return;
  }
  try {
    const { certPem } = readTls(tlsCert, tlsKey);
    yield validity(new X509Certificate(certPem), tlsCert, nowMs);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    yield problem("tls", error.message, error.hint);
    return;
  }
  if ((statSync(tlsKey).mode & 0o007) !== 0) {
    yield warning("tls", `every user of this machine can read ${tlsKey}`, `chmod o= ${tlsKey}`);
  }
}

function validity({ validFrom, validTo }: X509Certificate, path: string, nowMs: number): Finding {
  const [fromMs, toMs] = [Date.parse(validFrom), Date.parse(validTo)];
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const renew = "renew it: a running relay reads the new one by itself";
  if (nowMs < fromMs) {
    return problem(
      "tls",
      `${path} is valid from ${day(fromMs)} on only`,
      "is the clock of this machine right?",
    );
  }
  if (nowMs >= toMs) return problem("tls", `${path} has ended on ${day(toMs)}`, renew);
  const days = Math.floor((toMs - nowMs) / DAY_MS);
  if (days < SOON_DAYS) {
    return warning("tls", `${path} ends on ${day(toMs)}, in ${days} day${days === 1 ? "" : "s"}`, renew);
  }
  return ok("tls", `${path} is good until ${day(toMs)}`);
}
