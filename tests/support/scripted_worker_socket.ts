import { runtime } from "../../shared/runtime/current.ts";
import type { MessageSocket } from "../../shared/runtime/ports.ts";
import { until } from "./until.ts";

export interface WorkerSocketOptions {
  /** Default: our worker's, by which a relay knows it. ModelRelay's workers send none. */
  headers?: Record<string, string>;
  /** Behind `/v1/worker/connect`, with its "?". */
  query?: string;
}

export const OURS = { "x-signalbox-link": "framed.1" };

/** A WebSocket to a relay's door for workers. What goes over it is the test's affair. */
export class WorkerSocket {
  readonly messages: (string | Uint8Array)[] = [];
  /** Undefined while it is open. */
  end: { code: number; reason: string } | undefined;
  /** Instead of `messages`. */
  onMessage: ((message: string | Uint8Array) => void) | undefined;
  onDrain = () => {};
  onEnd = () => {};
  socket!: MessageSocket;

  /** @throws DialError when the relay refuses before the upgrade; its `status` tells how, on Bun's client */
  static async open(relayUrl: string, options: WorkerSocketOptions = {}): Promise<WorkerSocket> {
    const worker = new WorkerSocket();
    worker.socket = await runtime.dialWebSocket(
      {
        url: `${relayUrl.replace("http", "ws")}/v1/worker/connect${options.query ?? ""}`,
        headers: options.headers ?? OURS,
        timeoutMs: 5000,
        maxMessageBytes: 64 * 1024 * 1024,
      },
      {
        message: (data) => worker.#message(typeof data === "string" ? data : data.slice()),
        drain: () => worker.onDrain(),
        closed: (code, reason) => {
          worker.end = { code, reason };
          worker.onEnd();
        },
      },
    );
    return worker;
  }

  send(message: string | Uint8Array): void {
    this.socket.send(message);
  }

  sendJson(message: object): void {
    this.send(JSON.stringify(message));
  }

  /** How the relay ended it. */
  async ended(withinMs = 3000): Promise<{ code: number; reason: string }> {
    await until(() => this.end !== undefined, "the relay closes the worker's socket", withinMs);
    return this.end!;
  }

  #message(data: string | Uint8Array): void {
    if (this.onMessage) this.onMessage(data);
    else this.messages.push(data);
  }
}
