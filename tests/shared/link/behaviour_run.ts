import { Buffer } from "node:buffer";
import type { LinkRequestHead } from "../../../shared/link/events.ts";
import type { ExchangeHandlers, LinkExchange } from "../../../shared/link/link.ts";
import type { Scenario, Seen } from "./behaviour.ts";
import { HEAD, KIB, MIB } from "./framed_ends.ts";
import type { LinkPair } from "./link_ends.ts";

/** One scenario on one link. */
export class Run {
  readonly seen: Seen = { status: 0, body: "", over: "open", worker: "" };
  readonly #pair: LinkPair;
  readonly #scenario: Scenario;
  readonly #body: Uint8Array[] = [];
  #showsHeaders = false;
  #room = false;
  #atRelay!: LinkExchange;

  constructor(scenario: Scenario, pairFor: (run: Run) => LinkPair) {
    this.#scenario = scenario;
    this.#pair = pairFor(this);
  }

  go(): Seen {
    const { head, body = "{}", afterwards } = this.#scenario;
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    this.#atRelay = this.#pair.relay.link.openExchange({ ...HEAD, ...head }, this.#relayHandlers());
    if (bytes.length > 0) {
      this.#atRelay.write(bytes);
      this.#atRelay.end();
    }
    this.carry();
    if (afterwards) {
      this.seen.over = "left";
      afterwards(this.#atRelay, this);
      this.carry();
    }
    return this.seen;
  }

  carry(): void {
    this.#pair.carry();
    this.seen.body = summary(Buffer.concat(this.#body));
  }

  note(what: string): void {
    this.seen.worker += ` | ${what}`;
  }

  /** Whether the worker was told that there is room again. */
  takeRoom(): boolean {
    const room = this.#room;
    this.#room = false;
    return room;
  }

  showHeaders(): void {
    this.#showsHeaders = true;
  }

  lose(): void {
    this.#pair.worker.link.lost();
    this.#pair.relay.link.lost();
  }

  /** A request came to the worker. */
  request(exchange: LinkExchange, head: LinkRequestHead): ExchangeHandlers {
    const body: Uint8Array[] = [];
    const asked = () => {
      const text = summary(Buffer.concat(body));
      this.seen.worker = `${head.method} ${head.target}${text === "" ? "" : ` ${text}`}`;
      this.#scenario.answer(exchange, this);
    };
    if (!head.hasBody) this.#later(asked);
    return {
      data: (bytes) => {
        body.push(new Uint8Array(bytes));
        exchange.consumed(bytes.length);
      },
      end: () => this.#later(asked),
      reset: (code) => this.note(`reset ${code}`),
      writable: () => {
        this.#room = true;
      },
    };
  }

  /** The worker answers from outside of the link's handlers, as a backend does. */
  #later(answer: () => void): void {
    this.#pair.later.push(answer);
  }

  #relayHandlers(): ExchangeHandlers {
    return {
      response: ({ status, headers }) => {
        this.seen.status = status;
        if (this.#showsHeaders) this.seen.headers = headers.filter(([name]) => name !== "content-length");
      },
      data: (bytes) => {
        this.#body.push(new Uint8Array(bytes));
        if (!this.#scenario.stalls) this.#atRelay.consumed(bytes.length);
      },
      end: () => {
        this.seen.over = "end";
      },
      reset: (code) => {
        this.seen.over = `reset ${code}`;
      },
    };
  }
}

/** Bodies in a form that can be compared and read. */
function summary(body: Uint8Array): string {
  if (body.length > KIB) return body.length > 16 * MIB ? "more than 16 MiB" : `${body.length} bytes`;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    return text.replace(/\{"error":.*"code":"(\w+)".*\}\}/s, "error $1");
  } catch {
    return `hex ${Buffer.from(body).toString("hex")}`;
  }
}
