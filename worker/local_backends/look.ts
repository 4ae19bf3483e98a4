import { z } from "zod";
import type { Clock } from "../../shared/clock.ts";
import { Http1Client } from "../../shared/http1/client.ts";
import type { Runtime } from "../../shared/runtime/ports.ts";
import { within } from "../../shared/within.ts";
import { modelsIn } from "../catalog.ts";
import { type Answer, get, jsonOf } from "../get.ts";

/** A server of models on this machine. */
export interface LocalBackend {
  readonly what: "backend";
  readonly url: string;
  /** `Ollama`, `llama.cpp`, `vLLM`, `LM Studio`; any other that lists its models is `OpenAI-compatible`. */
  readonly kind: string;
  /** Undefined: it tells only who has a key. */
  readonly models: readonly string[] | undefined;
}

/** What listens on a port. `other`: something that speaks HTTP, but is no server of models as far as we can tell. */
export type Sighting = LocalBackend | { readonly what: "relay" | "other" | "nobody"; readonly url: string };

export interface LookOptions {
  clock: Clock;
  runtime: Pick<Runtime, "dial">;
}

/** Loopback answers at once; a server that needs longer is busy, and counts as not there. */
const LOOK_LIMIT_MS = 500;

/** Look at ports of this machine, all at the same time: half a second at most. */
export async function lookAt(ports: readonly number[], { clock, runtime }: LookOptions): Promise<Sighting[]> {
  const client = new Http1Client({ runtime, clock, connectTimeoutMs: LOOK_LIMIT_MS });
  const seen = ports.map((port): Sighting => ({ what: "nobody", url: `http://127.0.0.1:${port}` }));
  const looks = ports.map(async (port, at) => {
    const ask = (path: string) => get(client, { host: "127.0.0.1", port }, path);
    seen[at] = await identify(seen[at]!.url, ask);
  });
  await within(clock, LOOK_LIMIT_MS, Promise.all(looks));
  client.close();
  // A copy: who was asked when the time was over is told of the closed client, too late to count.
  return [...seen];
}

/** Any answer at all is asked for first: a relay would pass the other questions on to its workers. */
async function identify(url: string, ask: (path: string) => Promise<Answer | undefined>): Promise<Sighting> {
  const health = await ask("/health");
  if (!health) return { what: "nobody", url };
  if (relayHealth.safeParse(jsonOf(health)).success) return { what: "relay", url };
  const [list, ...marks] = await Promise.all([
    ask("/v1/models"),
    ...KINDS.map(async ({ path, is }) => {
      const answer = await ask(path);
      return answer !== undefined && is(answer);
    }),
  ]);
  const models = list && modelsIn(list);
  const kind = KINDS[marks.indexOf(true)]?.name;
  const locked = kind !== undefined && list?.status === 401;
  if (!models && !locked) return { what: "other", url };
  return { what: "backend", url, kind: kind ?? "OpenAI-compatible", models };
}

/** Of `signalbox serve`, and of ModelRelay's server. */
const relayHealth = z.object({ workers_connected: z.number() });

const versioned = z.object({ version: z.string() });
const listed = z.object({ data: z.array(z.unknown()) });

/** How servers are told apart that all list their models; the first that fits. */
const KINDS: readonly { name: string; path: string; is(answer: Answer): boolean }[] = [
  { name: "llama.cpp", path: "/health", is: (answer) => serverOf(answer) === "llama.cpp" },
  { name: "Ollama", path: "/api/version", is: (answer) => versioned.safeParse(jsonOf(answer)).success },
  {
    name: "vLLM",
    path: "/version",
    // LocalAI tells its version there too, but is not written in Python.
    is: (answer) => serverOf(answer) === "uvicorn" && versioned.safeParse(jsonOf(answer)).success,
  },
  { name: "LM Studio", path: "/api/v0/models", is: (answer) => listed.safeParse(jsonOf(answer)).success },
];

function serverOf({ headers }: Answer): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === "server")?.[1];
}
