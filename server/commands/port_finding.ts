import { ask } from "../../shared/command_line/ask.ts";
import { type Finding, ok, problem } from "../../shared/command_line/findings.ts";
import { mistakeOfListening } from "../../shared/command_line/report.ts";
import { Http1Failure } from "../../shared/http1/types.ts";
import { runtime } from "../../shared/runtime/current.ts";
import { PortInUse } from "../../shared/runtime/ports.ts";
import { hostPort } from "../../shared/settings/addresses.ts";
import type { ServeSettings } from "../settings.ts";

/** Whether the relay could listen where it is to: by listening there. Nothing is answered meanwhile. */
export async function portFinding(settings: ServeSettings): Promise<Finding> {
  const { host, port } = settings.listen;
  const address = String(hostPort.codec.encode(settings.listen));
  try {
    const listener = await runtime.listen({
      hostname: host,
      port,
      maxRequestBodyBytes: 1,
      maxMessageBytes: 1,
      handle: () => new Response(undefined, { status: 503 }),
    });
    await listener.stop(true);
  } catch (error) {
    const mistake = mistakeOfListening(error);
    if (!mistake) throw error;
    if (error instanceof PortInUse && (await isRelay(settings))) {
      return ok("port", `a relay is running on ${address}`);
    }
    return problem("port", mistake.message, mistake.hint);
  }
  return ok("port", port === 0 ? "any free one" : `${address} is free`);
}

/** Whether what has the port is a relay. Its certificate is looked at elsewhere. */
async function isRelay({ listen, tlsCert }: ServeSettings): Promise<boolean> {
  if (tlsCert) return false;
  const host = { "0.0.0.0": "127.0.0.1", "::": "::1" }[listen.host] ?? listen.host;
  const answer = await ask(`http://${hostPort.codec.encode({ host, port: listen.port })}/health`);
  return (
    !(answer instanceof Http1Failure) && answer.status === 200 && answer.body.includes("workers_connected")
  );
}
