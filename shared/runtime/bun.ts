// https://bun.com/docs/api
import { streamingBody } from "./bun_body.ts";
import { dial } from "./bun_dial.ts";
import { listen } from "./bun_listen.ts";
import { dialWebSocket } from "./bun_websocket.ts";
import type { Runtime } from "./ports.ts";

export const bun: Runtime = {
  name: "bun",
  get version() {
    return Bun.version;
  },
  listen,
  dial,
  dialWebSocket,
  streamingBody,
};
