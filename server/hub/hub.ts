import type { Clock } from "../../shared/clock.ts";
import { RelayFailure } from "../../shared/failures.ts";
import type { MessageSocket, RequestContext, SocketHandlers } from "../../shared/runtime/ports.ts";
import { within } from "../../shared/within.ts";
import type { Fleet } from "../fleet.ts";
import { type ConnectionEvents, WorkerConnection, type WorkerLink } from "./worker_connection.ts";
import type { WorkerDoor } from "./worker_door.ts";

export interface HubOptions {
  fleet: Fleet<WorkerLink>;
  door: WorkerDoor;
  clock: Clock;
  randomId(): string;
  events: ConnectionEvents;
}

/** All worker sockets: lets workers in, and lets each process hold one link only. */
export class Hub {
  readonly #options: HubOptions;
  readonly #connections = new Set<WorkerConnection>();
  #wakeDrained: (() => void) | undefined;
  #draining = false;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** A request to `/v1/worker/connect` that asks for a WebSocket. @throws RelayFailure when it is refused */
  connect(request: Request, context: RequestContext): Response {
    if (this.#draining) throw new RelayFailure("shutting_down");
    const entry = this.#options.door.knock(request, context.peer);
    if (!entry.admitted) return upgrade(context, new Turned(entry.reason));
    const connection = new WorkerConnection({
      provider: entry.provider,
      allowedModels: entry.models,
      peer: context.peer,
      fleet: this.#options.fleet,
      clock: this.#options.clock,
      randomId: this.#options.randomId,
      events: {
        ...this.#options.events,
        registered: (registered, warnings) => {
          this.#replaceOlder(registered);
          this.#options.events.registered(registered, warnings);
        },
        closed: (closed, code, reason) => {
          this.#connections.delete(closed);
          this.#options.events.closed(closed, code, reason);
          if (this.#connections.size === 0) this.#wakeDrained?.();
        },
      },
    });
    const response = upgrade(context, connection);
    this.#connections.add(connection);
    return response;
  }

  /** Tell all workers that the relay leaves, wait until their exchanges are over or the deadline, and close. */
  async drain(drainTimeoutMs: number): Promise<void> {
    this.#draining = true;
    for (const connection of this.#connections) connection.startDrain(drainTimeoutMs);
    await this.#idleWithin(drainTimeoutMs);
    const closed = new Promise<void>((resolve) => {
      this.#wakeDrained = resolve;
    });
    if (this.#connections.size === 0) return;
    for (const connection of this.#connections) closeDrained(connection);
    await within(this.#options.clock, CLOSE_GRACE_MS, closed);
  }

  /** Exchanges end by themselves; looking at them now and then is enough for a process that leaves. */
  async #idleWithin(drainTimeoutMs: number): Promise<void> {
    const deadlineMs = this.#options.clock.nowMs() + drainTimeoutMs;
    while (this.#busy() && this.#options.clock.nowMs() < deadlineMs) await this.#delay(DRAIN_POLL_MS);
  }

  #busy(): boolean {
    for (const { link } of this.#connections) if (link && link.open > 0) return true;
    return false;
  }

  #delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(ms, resolve);
    });
  }

  /**
   * The same process came back before its old link was seen to break: the old one goes at once, so that its
   * requests fail fast. A namesake may be somebody else (every ModelRelay worker is called "worker"): it is asked.
   */
  #replaceOlder(newer: WorkerConnection): void {
    const { session, name } = newer.registration!;
    for (const older of this.#connections) {
      if (older === newer || !older.registration || older.provider !== newer.provider) continue;
      if (session !== undefined && older.registration.session === session) older.terminate("replaced");
      else if (!session && !older.registration.session && older.registration.name === name) older.probe();
    }
  }
}

/** @throws RelayFailure when it is no handshake after all: its key or its version is missing */
function upgrade(context: RequestContext, handlers: SocketHandlers): Response {
  try {
    return context.upgrade(handlers);
  } catch (cause) {
    throw new RelayFailure("bad_request", { detail: "it is no whole WebSocket handshake", cause });
  }
}

const DRAIN_POLL_MS = 50;

/** How long a closing handshake may take before the process ends without it. */
const CLOSE_GRACE_MS = 500;

/** 1012 is "service restart"; ModelRelay's workers know 1000 with these words. */
function closeDrained(connection: WorkerConnection): void {
  const timedOut = (connection.link?.open ?? 0) > 0;
  const reason = timedOut ? "graceful shutdown timed out" : "graceful shutdown complete";
  connection.close(connection.link?.connection.form === "framed" ? 1012 : 1000, reason);
}

/** A socket that is accepted only to be told why it is not: ModelRelay's workers read the reason of a close. */
class Turned implements SocketHandlers {
  constructor(readonly reason: string) {}

  open(socket: MessageSocket): void {
    socket.close(1008, this.reason);
  }
  message(): void {}
  drain(): void {}
  closed(): void {}
}
