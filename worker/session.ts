import type { Clock } from "../shared/clock.ts";
import { LinkProtocolError } from "../shared/link/events.ts";
import { FramedConnection } from "../shared/link/framed.ts";
import { Link } from "../shared/link/link.ts";
import { Liveness } from "../shared/link/liveness.ts";
import { type ControlMessage, FEATURE, type MessageNamed, serialise } from "../shared/link/messages.ts";
import { MAX_SOCKET_MESSAGE_BYTES } from "../shared/link/plain_limits.ts";
import { PlainWorkerConnection } from "../shared/link/plain_worker.ts";
import { log } from "../shared/log.ts";
import type { MessageSocket, Runtime } from "../shared/runtime/ports.ts";
import { type Backend, forward } from "./forward.ts";
import { connectHeaders, connectUrl, type Registration, readAck, registerMessage } from "./handshake.ts";

/** A relay that has not answered `register` by then is not one. */
const ACK_DEADLINE_MS = 10_000;

/** Towards a ModelRelay server: it looks at its queue when a pong comes, not when a worker registers. */
const PLAIN_PONG_INTERVAL_MS = 10_000;

export interface SessionOptions {
  relayUrl: string;
  provider: string;
  secret?: string;
  caPem?: string[];
  connectTimeoutMs: number;
  runtime: Runtime;
  clock: Clock;
  backend: Backend;
  /** What to say of this worker; asked anew at each connect. */
  registration(): Registration;
  events: SessionEvents;
}

export interface SessionEvents {
  registered(ack: MessageNamed<"register_ack">, form: "plain" | "framed"): void;
  /** The relay asks for the models; the answer goes out with `updateModels`. */
  refreshModels(): void;
  /** The relay leaves: it sends nothing new, finishes what runs, then closes. */
  relayDrains(): void;
}

/** How a session ended. */
export interface SessionEnd {
  code: number;
  reason: string;
  /** From the acknowledgement on; 0 when there was none. */
  healthyMs: number;
}

/** One connection to one relay, from dial to close. */
export class Session {
  readonly #options: SessionOptions;
  #socket!: MessageSocket;
  #link: Link | undefined;
  #liveness: Liveness | undefined;
  #registeredAtMs = 0;
  #draining = false;
  #end!: (end: SessionEnd) => void;
  /** Resolves when the connection is gone. */
  readonly ended = new Promise<SessionEnd>((resolve) => {
    this.#end = resolve;
  });

  private constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Connect and say who we are. @throws DialError when the relay cannot be reached or refuses. */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    const registration = options.registration();
    session.#socket = await options.runtime.dialWebSocket(
      {
        url: connectUrl(options.relayUrl, options.provider),
        headers: connectHeaders(options.secret, registration.plain),
        ...(options.caPem && { caPem: options.caPem }),
        timeoutMs: options.connectTimeoutMs,
        maxMessageBytes: MAX_SOCKET_MESSAGE_BYTES,
      },
      {
        message: (data) => session.#onMessage(data),
        drain: () => session.#link?.drained(),
        pong: () => session.#liveness?.heard(),
        closed: (code, reason) => session.#onClosed(code, reason),
      },
    );
    session.#socket.send(serialise(registerMessage(registration)));
    session.#awaitAck();
    return session;
  }

  get form(): "plain" | "framed" | undefined {
    return this.#link?.connection.form;
  }

  /** Exchanges that run, or whose answers have not left whole. */
  get open(): number {
    return this.#link && !this.#link.closed ? this.#link.connection.open : 0;
  }

  /** Nothing is offered any more once it drains, whatever the backend or the relay asks. */
  updateModels(models: readonly string[]): void {
    const offered = this.#draining ? [] : [...models];
    this.#sendControl({ type: "models_update", models: offered, current_load: this.#load() });
  }

  /** Ask for no new requests. A ModelRelay server knows no such message: an empty model list has its effect. */
  drain(drainTimeoutMs: number): void {
    this.#draining = true;
    if (this.form === "plain") return this.updateModels([]);
    this.#sendControl({ type: "drain", drain_timeout_secs: Math.ceil(drainTimeoutMs / 1000) });
  }

  close(code: number, reason: string): void {
    if (this.#link) this.#link.close(code, reason);
    else this.#socket.close(code, reason);
  }

  /** End it without waiting for the relay's part of the goodbye. */
  terminate(): void {
    this.#socket.terminate();
  }

  #sendControl(message: ControlMessage): void {
    this.#link?.sendControl(message);
  }

  #load(): number {
    return this.#options.backend.capacity.inFlight;
  }

  #awaitAck(): void {
    const timer = this.#options.clock.after(ACK_DEADLINE_MS, () => {
      if (!this.#link) this.#socket.terminate();
    });
    this.ended.then(() => timer.cancel());
  }

  #onMessage(data: string | Uint8Array): void {
    this.#liveness?.heard();
    if (this.#link) return this.#link.receive(data);
    try {
      this.#registered(readAck(data));
    } catch (error) {
      if (!(error instanceof LinkProtocolError)) throw error;
      this.#socket.close(1002, error.message.slice(0, 120));
    }
  }

  #registered(ack: MessageNamed<"register_ack">): void {
    const features = ack.features ?? [];
    const framed = features.includes(FEATURE.framed) && !this.#options.registration().plain;
    this.#registeredAtMs = this.#options.clock.nowMs();
    this.#link = new Link({
      socket: this.#socket,
      connection: (emit) =>
        framed
          ? new FramedConnection({ role: "worker", emit })
          : new PlainWorkerConnection({ emit, features }),
      request: (exchange, head) => forward(this.#options.backend, exchange, head),
      control: (message) => this.#onControl(message),
      failed: (error) => this.#socket.close(1002, error.message.slice(0, 120)),
      fault: (error) => log.error("A request was lost by a fault of the worker", { error }),
    });
    this.#liveness = this.#watch(framed);
    if (!framed) this.#sendControl({ type: "pong", current_load: this.#load() });
    this.#options.events.registered(ack, framed ? "framed" : "plain");
  }

  /** Framed: the relay's pings prove that it lives. Plain: the pongs of our WebSocket pings do. */
  #watch(framed: boolean): Liveness {
    this.#socket.ping();
    return new Liveness({
      clock: this.#options.clock,
      ping: () => {
        this.#socket.ping();
        if (!framed) this.#sendControl({ type: "pong", current_load: this.#load() });
      },
      silent: () => this.#socket.terminate(),
      ...(!framed && { intervalMs: PLAIN_PONG_INTERVAL_MS }),
    });
  }

  #onControl(message: ControlMessage): void {
    switch (message.type) {
      case "ping": {
        const echo = message.timestamp_unix_ms;
        const pong = { type: "pong", current_load: this.#load() } as const;
        return this.#sendControl(echo === undefined ? pong : { ...pong, timestamp_unix_ms: echo });
      }
      case "models_refresh":
        return this.#options.events.refreshModels();
      case "graceful_shutdown":
      case "drain":
        return this.#options.events.relayDrains();
      default:
        return;
    }
  }

  #onClosed(code: number, reason: string): void {
    this.#liveness?.stop();
    this.#link?.lost();
    const healthyMs = this.#link ? this.#options.clock.nowMs() - this.#registeredAtMs : 0;
    this.#end({ code, reason, healthyMs });
  }
}
