import type { Runtime } from "../../../shared/runtime/ports.ts";

/** What a runtime cannot do, and why: cases that need it are skipped with that reason. */
const DIFFERENCES = {
  bun: {
    headBeforeBody:
      "Bun.serve keeps the end of the head back until the body's first byte (oven-sh/bun#33660)",
  },
  deno: {
    bodyLimit: "node:http has no limit for a request body: whoever reads it counts",
    rawTargets: "the parser of node:http refuses a target that is not ASCII, as RFC 3986 does",
    unreadLimit: "Deno.connect gives no descriptor to set a limit on",
    givesUpHandshake:
      "Deno keeps a closed TLS connection until it could say goodbye, so until its handshake is over",
  },
} as const;

type Difference = keyof (typeof DIFFERENCES)["bun"] | keyof (typeof DIFFERENCES)["deno"];

/** For the `skip` of a test: the reason, or false. */
export function lacks(runtime: Runtime, difference: Difference): string | false {
  return (DIFFERENCES[runtime.name] as Partial<Record<Difference, string>>)[difference] ?? false;
}
