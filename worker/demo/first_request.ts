import { z } from "zod";
import { systemClock } from "../../shared/clock.ts";
import { Http1Client } from "../../shared/http1/client.ts";
import type { HeaderPairs } from "../../shared/http1/types.ts";
import { runtime } from "../../shared/runtime/current.ts";
import { DEMO_MODEL } from "./answer.ts";
import { curlLine } from "./next_commands.ts";

const PATH = "/v1/chat/completions";
const QUESTION = { model: DEMO_MODEL, stream: true, messages: [{ role: "user", content: "Hello" }] };

/** The request as somebody would type it in a shell. */
export function firstLine(relayUrl: string): string {
  return curlLine(`${relayUrl}${PATH}`, QUESTION);
}

const chunkWithText = z.object({ choices: z.array(z.object({ delta: z.object({ content: z.string() }) })) });

/**
 * Send that request, and tell the text of the answer as it comes.
 * @throws Error when the answer breaks off, or is not the demo's
 */
export async function askOnce(relayUrl: string, tell: (text: string) => void): Promise<void> {
  // No `fetch`: it would ask the proxy that the environment names.
  const client = new Http1Client({ runtime, clock: systemClock });
  const { hostname, port } = new URL(relayUrl);
  const origin = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || 80 };
  const body = new TextEncoder().encode(JSON.stringify(QUESTION));
  const headers: HeaderPairs = [["content-type", "application/json"]];
  const decoder = new TextDecoder();
  let rest = "";
  try {
    await new Promise<void>((resolve, reject) => {
      const exchange = client.request(
        origin,
        { method: "POST", target: PATH, headers },
        { length: body.length },
        {
          head: ({ status }) => status === 200 || reject(new Error(`wanted status 200, found ${status}`)),
          data(bytes) {
            const events = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
            rest = events.pop()!;
            for (const event of events) tell(textOf(event));
          },
          end: resolve,
          failed: reject,
        },
      );
      exchange.write(body);
      exchange.end();
    });
  } finally {
    client.close();
  }
}

/** What an event adds to the text; the last two add nothing. */
function textOf(event: string): string {
  const data = event.replace(/^data: /, "");
  if (data === "[DONE]") return "";
  const chunk = chunkWithText.safeParse(JSON.parse(data));
  return chunk.data?.choices[0]?.delta.content ?? "";
}
