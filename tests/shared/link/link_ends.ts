import type { LinkRequestHead } from "../../../shared/link/events.ts";
import { FramedConnection } from "../../../shared/link/framed.ts";
import {
  type ExchangeHandlers,
  Link,
  type LinkExchange,
  type LinkOptions,
} from "../../../shared/link/link.ts";
import type { MessageSocket } from "../../../shared/runtime/ports.ts";
import { GET, OK } from "./framed_ends.ts";

/** A socket in memory: keeps what it is given until it is carried, and says what it is told to say. */
export class MemorySocket implements MessageSocket {
  readonly sent: (string | Uint8Array)[] = [];
  readonly closes: { code: number; reason: string }[] = [];
  /** The answer to each `send`. */
  answer: "sent" | "full" | "lost" = "sent";
  bufferedBytes = 0;

  send(message: string | Uint8Array): "sent" | "full" | "lost" {
    // A copy, as the runtimes make: the bytes are the connection's again.
    if (this.answer !== "lost") this.sent.push(typeof message === "string" ? message : message.slice());
    return this.answer;
  }
  ping(): void {}
  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
  }
  terminate(): void {}
}

/** Handlers that write down what they are told. */
export class Recorder implements ExchangeHandlers {
  readonly said: string[] = [];
  /** Called for each, with its name. */
  also: (name: string) => void = () => {};

  started = () => this.#say("started");
  response = ({ status }: { status: number }) => this.#say(`response ${status}`);
  data = (bytes: Uint8Array) => this.#say(`data ${bytes.length}`);
  end = () => this.#say("end");
  reset = (code: string) => this.#say(`reset ${code}`);
  writable = () => this.#say("writable");
  settled = () => this.#say("settled");

  #say(what: string): void {
    this.said.push(what);
    this.also(what.split(" ")[0]!);
  }
}

/** One end of a link on a socket in memory. */
export class LinkEnd {
  readonly socket = new MemorySocket();
  readonly failures: Error[] = [];
  readonly exchanges: LinkExchange[] = [];
  readonly recorders: Recorder[] = [];
  readonly heads: LinkRequestHead[] = [];
  readonly link: Link;

  constructor(role: "relay" | "worker", options: Partial<LinkOptions> = {}) {
    this.link = new Link({
      socket: this.socket,
      connection: (emit) => new FramedConnection({ role, emit }),
      request: (exchange, head) => {
        this.exchanges.push(exchange);
        this.heads.push(head);
        const recorder = new Recorder();
        this.recorders.push(recorder);
        return recorder;
      },
      control: () => {},
      failed: (error) => this.failures.push(error),
      ...options,
    });
  }

  /** The handlers of the latest exchange. */
  get recorder(): Recorder {
    return this.recorders.at(-1)!;
  }

  open(head: LinkRequestHead): LinkExchange {
    const recorder = new Recorder();
    this.recorders.push(recorder);
    const exchange = this.link.openExchange(head, recorder);
    this.exchanges.push(exchange);
    return exchange;
  }
}

/** Both ends; what one sends the other gets when it is carried. */
export class LinkPair {
  readonly relay: LinkEnd;
  readonly worker: LinkEnd;
  /** What is to be done once a message has been dealt with. */
  readonly later: (() => void)[] = [];

  constructor(options: { relay?: Partial<LinkOptions>; worker?: Partial<LinkOptions> } = {}) {
    this.relay = new LinkEnd("relay", options.relay);
    this.worker = new LinkEnd("worker", options.worker);
  }

  /** Until both have nothing to say any more. */
  carry(): void {
    const ends = [this.relay, this.worker] as const;
    for (let moved = true; moved; ) {
      moved = false;
      for (const [from, to] of [ends, [...ends].reverse() as unknown as typeof ends]) {
        from.link.flush();
        for (const message of from.socket.sent.splice(0)) {
          to.link.receive(message);
          moved = true;
        }
        for (const task of this.later.splice(0)) {
          task();
          moved = true;
        }
      }
    }
  }
}

/** One exchange that the worker has begun to answer. */
export function answering(pair = new LinkPair()) {
  const atRelay = pair.relay.open(GET);
  pair.carry();
  const atWorker = pair.worker.exchanges.at(-1)!;
  atWorker.respond(OK);
  pair.carry();
  pair.relay.recorder.said.length = 0;
  pair.worker.recorder.said.length = 0;
  return {
    pair,
    atRelay,
    atWorker,
    relaySaid: pair.relay.recorder.said,
    workerSaid: pair.worker.recorder.said,
  };
}
