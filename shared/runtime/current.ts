import { bun } from "./bun.ts";
import { deno } from "./deno.ts";
import type { Runtime } from "./ports.ts";

/** The runtime that this process runs in: the only place that asks. */
export const runtime: Runtime = "Bun" in globalThis ? bun : deno;
