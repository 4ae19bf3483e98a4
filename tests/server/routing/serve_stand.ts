import { Fleet, type FleetWorker } from "../../../server/fleet.ts";
import type { WorkerLink } from "../../../server/hub/worker_connection.ts";
import { readIntent } from "../../../server/intent.ts";
import { Relay } from "../../../server/relay/relay.ts";
import type { FleetSnapshot, Preferences, RouteRequest } from "../../../server/routing/types.ts";
import { LiveWorkerIndex } from "../../../server/routing/worker_index.ts";
import { serveSettings } from "../../../server/settings.ts";
import { WaitingLine } from "../../../server/waiting_line.ts";
import type { LinkRequestHead } from "../../../shared/link/events.ts";
import type { ExchangeHandlers } from "../../../shared/link/link.ts";
import { ReceivedFields } from "../../../shared/received_fields.ts";
import { Sweeper } from "../../../shared/sweeper.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { type RequestFacts, worker } from "./fleet_builder.ts";
import type { Situation } from "./random_situations.ts";

/** What a worker does with each request: takes none, or has its backend answer so. */
export type Behaviour = "refuses" | 200 | 503;

const BODY = new TextEncoder().encode("{}");

/** All of `serve` between the client's request and the workers' links, with workers that only pretend. */
export class ServeStand {
  readonly clock = new FakeClock();
  readonly fleet = new Fleet<WorkerLink>({ clock: this.clock });
  readonly settings = serveSettings.parse({});
  readonly line = new WaitingLine<WorkerLink>({
    clock: this.clock,
    fleet: this.fleet,
    limits: { countMax: 10, bytesMax: 1e6 },
  });
  /** Who was given the request, in this order, as `worker-1 m`. */
  tried: string[] = [];
  readonly #behaviours: readonly Behaviour[];
  readonly #relay = new Relay({
    settings: { ...this.settings, resendPaths: new Set<string>(), fallbackOn: new Set<number>() },
    line: this.line,
    fleet: this.fleet,
    clock: this.clock,
    sweeper: new Sweeper(this.clock),
    runtime: {
      streamingBody: () => {
        throw new Error("answers are short");
      },
    },
    authenticate: () => ({ name: undefined, consumed: [], mayExplain: false }),
    override: undefined,
    tally: { ended: () => {} },
    isTrustedProxy: () => false,
  });

  /** `behaviours`: of the workers in turn. */
  constructor({ present, absent, known }: Situation, behaviours: readonly Behaviour[]) {
    this.#behaviours = behaviours;
    const gone = absent.map((facts) => this.#join(facts));
    const workers = present.map((facts) => this.#join(facts));
    for (const one of gone) this.fleet.leave(one);
    for (const [at, facts] of present.entries()) this.#busy(workers[at]!, worker(facts));
    for (const [provider, model, { throughput, latency }] of known.measured ?? []) {
      const sample = {
        ...(throughput && { tokensPerS: throughput.p50 }),
        ...(latency && { latencyS: latency.p50 }),
      };
      this.fleet.measure({ ...worker(), provider }, model, sample);
    }
    const named = (id: string) => workers.find((one) => one.id === id);
    for (const [session, model, id] of known.sticky ?? []) {
      const one = named(id);
      if (one) this.fleet.stickTo(one, { session, model });
    }
    for (const [keptId, id] of known.keepers ?? []) {
      const one = named(id);
      if (one) this.fleet.keeps(one, keptId);
    }
  }

  /** The request as routing sees it, and its answer to come. */
  ask(facts: RequestFacts): { asked: RouteRequest; response: () => Promise<Response> } {
    const body = new TextEncoder().encode(JSON.stringify(wireBody(facts)));
    const method = "POST";
    const target = facts.path ?? "/v1/chat";
    const headers = new Headers({
      "content-type": "application/json",
      "content-length": String(body.length),
    });
    const { request: asked } = readIntent({ method, target, headers, peeked: body, whole: true });
    const request = new Request(`http://relay${target}`, { method, headers, body });
    const context = {
      peer: "192.0.2.1",
      secure: false,
      target,
      fields: new ReceivedFields(request.headers),
      onGone: () => {},
      upgrade: () => new Response(null),
    };
    return { asked, response: () => this.#relay.handle(request, context) };
  }

  /** The fleet as plain data in a new index: what a dry run would be given. */
  copy(): FleetSnapshot {
    const snapshot = this.fleet.snapshot();
    const copied = ({ workers }: FleetSnapshot["present"]) => {
      const index = new LiveWorkerIndex();
      for (const { link: _, ...facts } of workers as Iterable<FleetWorker<unknown>>)
        index.add(structuredClone(facts));
      return index;
    };
    return { ...snapshot, present: copied(snapshot.present), absent: copied(snapshot.absent) };
  }

  behaviour(id: string): Behaviour {
    return this.#behaviours[Number(id.split("-")[1]) % this.#behaviours.length]!;
  }

  #join(facts: Situation["present"][number]): FleetWorker<WorkerLink> {
    const { name: _, models, labels, ...others } = worker(facts);
    const link = {
      link: {
        openExchange: (head: LinkRequestHead, handlers: ExchangeHandlers) => {
          this.tried.push(`${joined.id} ${head.model}`);
          queueMicrotask(() => this.#answer(joined.id, handlers));
          return { write: () => true, end: () => {}, reset: () => {}, consumed: () => {} };
        },
      },
    } as unknown as WorkerLink;
    const { provider, endpointPrefixes, maxConcurrent, linkForm } = others;
    const capabilities = new Set(["method", "binary"] as const);
    const registration = { name: "box", provider, endpointPrefixes, maxConcurrent, capabilities, linkForm };
    const joined = this.fleet.join({ ...registration, models, labels, link });
    return joined;
  }

  /** As busy and as well as the facts say. */
  #busy(joined: FleetWorker<WorkerLink>, facts: ReturnType<typeof worker>): void {
    for (let taken = 0; taken < facts.inFlight; taken++) this.fleet.reserve({ worker: joined });
    this.fleet.reportLoad(joined, facts.reportedLoad);
    this.fleet.setDraining(joined, facts.draining);
    this.fleet.setHealthy(joined, facts.healthy);
  }

  #answer(id: string, handlers: ExchangeHandlers): void {
    const behaviour = this.behaviour(id);
    if (behaviour === "refuses") return handlers.reset("refused", "");
    handlers.started?.();
    handlers.response?.({ status: behaviour, headers: [["content-type", "application/json"]] });
    handlers.data(BODY, false);
    handlers.end();
    handlers.settled?.();
  }
}

/** As an OpenRouter client would write it. */
function wireBody({ model, models, preferences, parameters, session, keptIds }: RequestFacts): object {
  return {
    ...(model !== undefined && { model }),
    ...(models && { models }),
    ...(preferences && { provider: wireProvider(preferences) }),
    ...Object.fromEntries((parameters ?? []).map((name) => [name, 1])),
    ...(session !== undefined && { session_id: session }),
    ...(keptIds?.[0] && { previous_response_id: keptIds[0] }),
  };
}

function wireProvider(preferences: Preferences): object {
  const { allowFallbacks, sort, partition, requireParameters, dataCollection, distillableText, ...others } =
    preferences;
  const { maxPrice, minThroughput, maxLatency, ...same } = others;
  return {
    ...same,
    allow_fallbacks: allowFallbacks,
    sort: partition ? { by: sort, partition } : sort,
    require_parameters: requireParameters,
    data_collection: dataCollection,
    enforce_distillable_text: distillableText,
    max_price: maxPrice,
    preferred_min_throughput: minThroughput,
    preferred_max_latency: maxLatency,
  };
}
