/** Listens, says on which port, and ends when its standard input does. */
import process from "node:process";
import { runtime } from "../../../shared/runtime/current.ts";

const listener = await runtime.listen({
  hostname: "127.0.0.1",
  port: 0,
  maxRequestBodyBytes: 0,
  maxMessageBytes: 0,
  handle: () => new Response(),
});
process.stdout.write(`${listener.port}\n`);
// As the relay does. Deno sets signals up when it first has to, and ends where no descriptor is left for that.
process.once("SIGTERM", () => process.exit());
process.stdin.resume().on("end", () => process.exit());
