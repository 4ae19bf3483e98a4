import type { Runtime } from "../../../shared/runtime/ports.ts";

/** What a runtime cannot do, and why: cases that need it are skipped with that reason. */
const DIFFERENCES = {
  bun: {
    http2: "Bun.serve speaks HTTP/1.1 only",
    headBeforeBody:
      "Bun.serve keeps the end of the head back until the body's first byte (oven-sh/bun#33660)",
  },
  deno: {
    bodyLimit: "Deno.serve has no limit for a request body: whoever reads it counts",
    serverPing: "the WebSockets of Deno.serve have no ping(), and show none",
    serverDrop: "the WebSockets of Deno.serve have no way to drop a connection without a handshake",
    tlsAtOnce: "Deno.serve leaves Nagle's algorithm on where it speaks TLS",
    socketsOutliveReload: "Deno.serve ends WebSockets with the server that had the old certificate",
    givesUpHandshake:
      "Deno keeps a closed TLS connection until it could say goodbye, so until its handshake is over",
    stopsAcceptingFirst: "Deno.serve accepts until its last WebSocket has ended",
  },
} as const;

type Difference = keyof (typeof DIFFERENCES)["bun"] | keyof (typeof DIFFERENCES)["deno"];

/** For the `skip` of a test: the reason, or false. */
export function lacks(runtime: Runtime, difference: Difference): string | false {
  return (DIFFERENCES[runtime.name] as Partial<Record<Difference, string>>)[difference] ?? false;
}
