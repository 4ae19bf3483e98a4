import type { Clock, Timer } from "../../shared/clock.ts";
import { LinkProtocolError } from "../../shared/link/events.ts";
import { FramedConnection } from "../../shared/link/framed.ts";
import { MAX_EXCHANGES } from "../../shared/link/limits.ts";
import { Link } from "../../shared/link/link.ts";
import { Liveness } from "../../shared/link/liveness.ts";
import { type ControlMessage, FEATURE, type MessageNamed, serialise } from "../../shared/link/messages.ts";
import { PlainRelayConnection } from "../../shared/link/plain_relay.ts";
import {
  acceptRegister,
  REGISTRATION_LIMITS,
  type Registration,
  sanitiseModels,
} from "../../shared/link/registration.ts";
import type { MessageSocket, SocketHandlers } from "../../shared/runtime/ports.ts";
import type { Fleet, FleetWorker } from "../fleet.ts";
import { capabilities, readRegister } from "./register.ts";

/** A socket that has not registered by then is closed: it costs memory and serves nobody. */
const REGISTER_DEADLINE_MS = 10_000;

/** A namesake that is asked whether it is still there has this long to answer. */
const PROBE_DEADLINE_MS = 5_000;

/** ModelRelay's words, which its workers' operators know from their logs. */
const PROTOCOL_ERROR = { code: 1002, reason: "worker registration protocol error" } as const;

const OFFERED = [FEATURE.framed, FEATURE.method, FEATURE.head];

/** What the relay reaches a worker by. */
export interface WorkerLink {
  link: Link;
  connection: WorkerConnection;
}

export interface ConnectionOptions {
  /** As the worker named it, and its secret allows. */
  provider: string;
  /** The models that its secret allows; undefined: all. */
  allowedModels: ReadonlySet<string> | undefined;
  peer: string;
  fleet: Fleet<WorkerLink>;
  clock: Clock;
  randomId(): string;
  events: ConnectionEvents;
}

export interface ConnectionEvents {
  registered(connection: WorkerConnection, warnings: readonly string[]): void;
  /** The socket is gone; `connection.worker` has left the fleet. */
  closed(connection: WorkerConnection, code: number, reason: string): void;
  /** The worker broke the protocol. */
  broke(connection: WorkerConnection, error: LinkProtocolError): void;
  /** A mistake of ours cost one exchange. */
  fault(connection: WorkerConnection, error: unknown): void;
  /** The worker said that something of its own failed. */
  complained(connection: WorkerConnection, message: MessageNamed<"error">): void;
}

/** One worker's socket, from its acceptance to its end: registers the worker, keeps its link, tells the fleet. */
export class WorkerConnection implements SocketHandlers {
  readonly peer: string;
  readonly connectedAt = new Date();
  /** With its variant, which a worker may name when it registers. */
  provider: string;
  registration: Registration | undefined;
  worker: FleetWorker<WorkerLink> | undefined;
  link: Link | undefined;
  readonly #options: ConnectionOptions;
  #socket!: MessageSocket;
  #liveness: Liveness | undefined;
  #registerTimer: Timer | undefined;
  /** How often something came of the worker. */
  #heardTimes = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.provider = options.provider;
  }

  open(socket: MessageSocket): void {
    this.#socket = socket;
    this.#registerTimer = this.#options.clock.after(REGISTER_DEADLINE_MS, () => {
      socket.close(PROTOCOL_ERROR.code, PROTOCOL_ERROR.reason);
    });
  }

  message(data: string | Uint8Array): void {
    this.#heard();
    if (this.link) return this.link.receive(data);
    try {
      this.#register(readRegister(data));
    } catch (error) {
      if (!(error instanceof LinkProtocolError)) throw error;
      this.#fail(error);
    }
  }

  drain(): void {
    this.link?.drained();
  }

  pong(): void {
    this.#heard();
  }

  closed(code: number, reason: string): void {
    this.#liveness?.stop();
    this.#registerTimer?.cancel();
    // The fleet first: what the lost exchanges free must not be taken for capacity.
    if (this.worker) this.#options.fleet.leave(this.worker);
    this.link?.lost();
    this.#options.events.closed(this, code, reason);
  }

  /** Ask a namesake whether it is still there; it goes when it is not. */
  probe(): void {
    const heardTimes = this.#heardTimes;
    this.link?.sendControl({ type: "ping" });
    this.#options.clock.after(PROBE_DEADLINE_MS, () => {
      if (this.#heardTimes === heardTimes) this.terminate("worker heartbeat timed out");
    });
  }

  /** The relay leaves: nothing new goes to the worker, what runs is finished. */
  startDrain(drainTimeoutMs: number): void {
    if (this.worker) this.#options.fleet.setDraining(this.worker);
    const seconds = Math.max(1, Math.ceil(drainTimeoutMs / 1000));
    this.link?.sendControl({
      type: "drain",
      reason: "the relay is shutting down",
      drain_timeout_secs: seconds,
    });
  }

  close(code: number, reason: string): void {
    if (this.link) this.link.close(code, reason);
    else this.#socket.close(code, reason);
  }

  /** End it now, as if the socket had broken. */
  terminate(reason: string): void {
    this.#socket.close(1000, reason);
    this.#socket.terminate();
  }

  // ---------------------------------------------------------------------------------------------------------

  #heard(): void {
    this.#heardTimes++;
    this.#liveness?.heard();
  }

  /** The worker joins the fleet and may be given a waiting request at once; the acknowledgement still goes first. */
  #register(register: MessageNamed<"register">): void {
    const accepted = acceptRegister(register, { workerId: "", provider: this.provider, features: OFFERED });
    const { registration, ack } = accepted;
    this.#registerTimer?.cancel();
    const framed = registration.features.includes(FEATURE.framed);
    registration.models = this.#allowed(registration.models);
    this.registration = registration;
    this.provider = registration.provider;
    this.link = this.#makeLink(registration, framed);
    this.worker = this.#options.fleet.join({
      name: registration.name,
      provider: registration.provider,
      models: registration.models,
      endpointPrefixes: registration.endpointPrefixes,
      maxConcurrent: Math.min(registration.maxConcurrent, MAX_EXCHANGES),
      reportedLoad: registration.load,
      identity: registration.session,
      capabilities: capabilities(registration, framed),
      labels: registration.labels,
      linkForm: framed ? "framed" : "plain",
      link: { link: this.link, connection: this },
    });
    this.#socket.send(serialise({ ...ack, worker_id: this.worker.id, models: registration.models }));
    this.link.drained();
    this.#liveness = this.#watch();
    this.#options.events.registered(this, accepted.warnings);
  }

  #makeLink(registration: Registration, framed: boolean): Link {
    const { randomId } = this.#options;
    const { features, knowsMethod } = registration;
    return new Link({
      socket: this.#socket,
      held: true,
      connection: (emit) =>
        framed
          ? new FramedConnection({ role: "relay", emit })
          : new PlainRelayConnection({ emit, randomId, features, peerKnowsMethod: knowsMethod }),
      control: (message) => this.#onControl(message),
      failed: (error) => this.#fail(error),
      fault: (error) => this.#options.events.fault(this, error),
    });
  }

  #watch(): Liveness {
    return new Liveness({
      clock: this.#options.clock,
      ping: () => this.link!.sendControl({ type: "ping" }),
      silent: () => this.terminate("worker heartbeat timed out"),
    });
  }

  #onControl(message: ControlMessage): void {
    const { fleet, events } = this.#options;
    const worker = this.worker;
    if (!worker) return;
    switch (message.type) {
      case "pong":
      case "load":
        return fleet.reportLoad(worker, message.current_load);
      case "models_update":
        fleet.reportLoad(worker, message.current_load);
        return fleet.updateModels(
          worker,
          this.#allowed(sanitiseModels(message.models, REGISTRATION_LIMITS, [])),
        );
      case "drain":
        return fleet.setDraining(worker);
      case "ping":
        return this.link!.sendControl({ type: "pong", current_load: 0 });
      case "error":
        return events.complained(this, message);
      default:
        return this.#fail(new LinkProtocolError(`A second "${message.type}" came`));
    }
  }

  /** A secret that is bound to models serves no others, and never every one (`*`). */
  #allowed(models: string[]): string[] {
    const { allowedModels } = this.#options;
    if (!allowedModels) return models;
    return models.includes("*") ? [...allowedModels] : models.filter((model) => allowedModels.has(model));
  }

  /** The fleet first: what its exchanges free is no capacity, and what comes next must go elsewhere. */
  #fail(error: LinkProtocolError): void {
    if (this.worker) this.#options.fleet.leave(this.worker);
    this.#options.events.broke(this, error);
    this.#socket.close(PROTOCOL_ERROR.code, PROTOCOL_ERROR.reason);
  }
}
