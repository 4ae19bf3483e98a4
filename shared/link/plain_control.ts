import type { ControlMessage } from "./messages.ts";

/** What a ModelRelay worker knows. It drops the link and all its work over any other type. */
export function controlForWorker(message: ControlMessage): ControlMessage | undefined {
  switch (message.type) {
    case "register_ack":
    case "ping":
    case "graceful_shutdown":
    case "models_refresh":
      return message;
    case "drain":
      return { ...message, type: "graceful_shutdown" };
    default:
      return undefined;
  }
}

/**
 * What a ModelRelay server knows. It closes over any other type, and over a second `register`. No models is how a
 * worker says that it leaves; `open` is then what it still works on.
 */
export function controlForRelay(message: ControlMessage, open: number): ControlMessage | undefined {
  switch (message.type) {
    case "models_update":
    case "pong":
      return message;
    case "load":
      return { type: "pong", current_load: message.current_load };
    case "drain":
      return { type: "models_update", models: [], current_load: open };
    default:
      return undefined;
  }
}
