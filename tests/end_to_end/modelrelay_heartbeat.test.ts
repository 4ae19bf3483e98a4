import assert from "node:assert/strict";
import { type Socket, createServer } from "node:net";
import { test } from "node:test";
import { Fleet } from "../../server/fleet.ts";
import { Hub } from "../../server/hub/hub.ts";
import type { WorkerLink } from "../../server/hub/worker_connection.ts";
import { WorkerDoor } from "../../server/hub/worker_door.ts";
import { AuthLimiter } from "../../server/keys/auth_limiter.ts";
import { WorkerSecrets } from "../../server/keys/worker_secrets.ts";
import { Http1Client } from "../../shared/http1/client.ts";
import { runtime } from "../../shared/runtime/current.ts";
import type { FleetWorker } from "../../server/fleet.ts";
import { Capacity } from "../../worker/capacity.ts";
import { Session } from "../../worker/session.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { connectWorker, HttpProbe, quiet, until } from "../support/modelrelay/probe.ts";
import { BackendProbe, chunkBytes, openChunkedBytes } from "../support/modelrelay/probe_server.ts";
import { RustServer } from "../support/modelrelay/rust_server.ts";
import { RustWorker } from "../support/modelrelay/rust_worker.ts";
import { acceptKey, OPCODE, WebSocketEnd } from "../support/modelrelay/web_socket.ts";

/** What both ends do as minutes pass. The sockets are real, the clock is not: hub and session run in this process. */

/** Counts the reports of load: each is an answer to a ping. */
class CountingFleet extends Fleet<WorkerLink> {
  reports = 0;

  override reportLoad(worker: FleetWorker<WorkerLink>, load: number): void {
    this.reports++;
    super.reportLoad(worker, load);
  }
}

/** The relay's hub on a port, without the relay. */
class HubStage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly fleet = new CountingFleet({ clock: this.clock });
  readonly #listener;

  static async start(): Promise<HubStage> {
    const stage = new HubStage(new FakeClock());
    return stage;
  }
}
