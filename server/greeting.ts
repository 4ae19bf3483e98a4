import { isLoopback } from "../shared/settings/addresses.ts";
import { wantsKeys } from "./compose.ts";
import type { ServeSettings } from "./settings.ts";

/** What `signalbox serve` says once it listens: where, who comes in, and where to read on. Programs read its first line. */
export function greeting(settings: ServeSettings, url: string): string {
  const { listen, workerSecrets, tlsCert, adminToken, dashboard } = settings;
  const here = isLoopback(listen.host) ? ", on this machine" : "";
  const lines = [
    ["clients", wantsKeys(settings) ? "need an API key" : `need no API key${here}`],
    ["workers", workerSecrets.length > 0 ? "need the worker secret" : `need no secret${here}`],
    ["tls", tlsCert ? "on" : "off"],
    ["admin", adminToken === undefined ? "closed" : "open to the admin token"],
    ...(adminToken !== undefined && dashboard ? [["dashboard", `${url}/dashboard`]] : []),
    ["more", "signalbox doctor serve; signalbox serve --help"],
  ];
  const width = Math.max(...lines.map(([what]) => what!.length));
  return `signalbox: listening on ${url}\n${lines.map(([what, how]) => `  ${what!.padEnd(width)}  ${how}\n`).join("")}`;
}
