// https://docs.deno.com/api/deno/
import { Deno } from "./deno_api.ts";
import { streamingBody } from "./deno_body.ts";
import { dial } from "./deno_dial.ts";
import { kernelBuffers } from "./deno_kernel_buffers.ts";
import { listen } from "./deno_listen.ts";
import { dialWebSocket } from "./deno_websocket.ts";
import type { Runtime } from "./ports.ts";

export const deno: Runtime = {
  name: "deno",
  get version() {
    return Deno.version.deno;
  },
  async listen(options) {
    const listener = await listen(options);
    kernelBuffers.limitUnsent();
    return listener;
  },
  dial,
  dialWebSocket,
  streamingBody,
};
