import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { LinkRequestHead, LinkResponseHead, ResetCode } from "../../shared/link/events.ts";
import { FramedConnection } from "../../shared/link/framed.ts";
import { type ExchangeHandlers, Link, type LinkExchange } from "../../shared/link/link.ts";
import { type ControlMessage, FEATURE, type MessageNamed } from "../../shared/link/messages.ts";
import { PlainRelayConnection } from "../../shared/link/plain_relay.ts";
import { runtime } from "../../shared/runtime/current.ts";
import type { Listener, MessageSocket, SocketHandlers } from "../../shared/runtime/ports.ts";
import { until } from "./until.ts";

/** A relay that takes any worker in, over a link of the form that it offers, and then does what the test says. */
export class ScriptedRelay implements AsyncDisposable {
  readonly links: ScriptedLink[] = [];
  #listener!: Listener;

  static async start(): Promise<ScriptedRelay> {
    const relay = new ScriptedRelay();
    relay.#listener = await runtime.listen({
      hostname: "127.0.0.1",
      port: 0,
      maxRequestBodyBytes: 0,
      maxMessageBytes: 64 * 1024 * 1024,
      handle: (_request, context) => {
        const link = new ScriptedLink();
        relay.links.push(link);
        return context.upgrade(link);
      },
    });
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.port}`;
  }

  /** The `number`th worker's link, once it has registered. */
  async worker(number = 0): Promise<ScriptedLink> {
    await until(() => this.links[number]?.register !== undefined, "a worker registers");
    return this.links[number]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.stop(true);
  }
}

/** One worker, as its relay has it. */
export class ScriptedLink implements SocketHandlers {
  register: MessageNamed<"register"> | undefined;
  readonly controls: ControlMessage[] = [];
  /** Undefined while it is open. */
  end: { code: number; reason: string } | undefined;
  socket!: MessageSocket;
  /** Once it has registered. */
  link!: Link;

  open(socket: MessageSocket): void {
    this.socket = socket;
  }

  message(data: string | Uint8Array): void {
    if (this.register) return this.link.receive(data);
    this.register = JSON.parse(String(data)) as MessageNamed<"register">;
    const { models, features = [] } = this.register;
    this.socket.send(JSON.stringify({ type: "register_ack", worker_id: "worker-1", models, features }));
    this.link = new Link({
      socket: this.socket,
      connection: (emit) =>
        features.includes(FEATURE.framed)
          ? new FramedConnection({ role: "relay", emit })
          : new PlainRelayConnection({ emit, features, peerKnowsMethod: true, randomId: () => randomUUID() }),
      control: (message) => this.controls.push(message),
      failed: (error) => {
        throw error;
      },
    });
  }

  drain(): void {
    this.link?.drained();
  }

  closed(code: number, reason: string): void {
    this.end = { code, reason };
    this.link?.lost();
  }

  /** Send a request: GET `/`, unless it says otherwise. */
  ask(head: Partial<LinkRequestHead> = {}, options: { takes?: boolean } = {}): ScriptedAnswer {
    const answer = new ScriptedAnswer(options.takes ?? true);
    const request = {
      method: "GET",
      target: "/",
      headers: [],
      hasBody: false,
      streaming: false,
      upgrade: false,
    };
    answer.exchange = this.link.openExchange({ ...request, model: "", ...head }, answer);
    return answer;
  }
}

/** What a worker answered so far. */
export class ScriptedAnswer implements ExchangeHandlers {
  exchange!: LinkExchange;
  wasStarted = false;
  head: LinkResponseHead | undefined;
  body = Buffer.alloc(0);
  ended = false;
  wasReset: ResetCode | undefined;
  #owed = 0;

  /** `takes`: the worker gets credit for what it sends; otherwise `take` gives it. */
  constructor(private takes: boolean) {}

  async isOver(withinMs = 3000): Promise<this> {
    await until(() => this.ended || this.wasReset !== undefined, "the worker's answer is over", withinMs);
    return this;
  }

  /** From now on what comes is taken, and what came before. */
  take(): void {
    this.takes = true;
    this.exchange.consumed(this.#owed);
  }

  started(): void {
    this.wasStarted = true;
  }

  response(head: LinkResponseHead): void {
    this.head = head;
  }

  data(bytes: Uint8Array): void {
    this.body = Buffer.concat([this.body, bytes]);
    if (this.takes) this.exchange.consumed(bytes.length);
    else this.#owed += bytes.length;
  }

  end(): void {
    this.ended = true;
  }

  reset(code: ResetCode): void {
    this.wasReset = code;
  }
}
