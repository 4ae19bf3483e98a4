import fc from "fast-check";
import type { Measured, Preferences } from "../../../server/routing/types.ts";
import type { Labels } from "../../../shared/labels.ts";
import { type KnownFacts, percentiles, type RequestFacts, type WorkerFacts } from "./fleet_builder.ts";

/** Everything that a decision follows from, small enough for the parts to meet. */
export interface Situation {
  request: RequestFacts;
  present: WorkerFacts[];
  absent: WorkerFacts[];
  known: KnownFacts;
}

export const PROVIDERS = ["home", "home/a", "home/b", "lab", "lab/a", "cloud"] as const;
const MODELS = ["m", "n", "*", "m:floor"] as const;
const CAPABILITIES = ["method", "binary", "upgrade"] as const;

/** Fields that are all there leave hardly anybody. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
/** An object without the members that are not there. */
const partly = <T extends object>(shape: { [Key in keyof T]-?: fc.Arbitrary<NonNullable<T[Key]>> }) =>
  fc.record(shape, { requiredKeys: [], noNullPrototype: true }) as unknown as fc.Arbitrary<T>;

const price = partly<NonNullable<Labels["price"]>>({
  prompt: fc.nat(3),
  completion: fc.nat(2),
  request: fc.nat(1),
  image: fc.nat(1),
  audio: fc.nat(1),
});
const modelLabels = {
  quantization: fc.constantFrom("int4", "int8", "fp16"),
  data_collection: fc.constantFrom("allow" as const, "deny" as const),
  zdr: fc.boolean(),
  distillable_text: fc.boolean(),
  supported_parameters: fc.subarray(["tools", "stop"]),
  price,
};
const labels = partly<Labels>({
  ...modelLabels,
  models: fc.dictionary(fc.constantFrom("m", "n"), partly<Labels>(modelLabels as never), {
    maxKeys: 1,
    noNullPrototype: true,
  }),
});

const workerFacts: fc.Arbitrary<WorkerFacts> = fc
  .record({
    provider: fc.constantFrom(...PROVIDERS),
    models: fc.oneof(
      { weight: 3, arbitrary: fc.constant(["m", "n"]) },
      { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom(...MODELS), { maxLength: 3 }) },
    ),
    endpointPrefixes: fc.constantFrom([], [], [], ["/"], ["/v1"], ["/api", "/v1/chat"], ["/v1*"]),
    maxConcurrent: fc.integer({ min: 1, max: 4 }),
    inFlight: fc.constantFrom(0, 0, 0, 1, 2, 3, 4),
    reportedLoad: fc.constantFrom(0, 0, 0, 1, 2),
    draining: fc.constantFrom(true, false, false, false, false, false),
    healthy: fc.constantFrom(false, true, true, true, true, true),
    capabilities: fc.constantFrom([...CAPABILITIES], [...CAPABILITIES], ["method" as const], []),
    labels: fc.oneof(labels, fc.constant({})),
    lastTurn: fc.nat(9),
  })
  // What the relay took is never more than there is.
  .map((facts) => ({ ...facts, inFlight: Math.min(facts.inFlight, facts.maxConcurrent) }));

const names = fc.uniqueArray(fc.constantFrom(...PROVIDERS, "nobody"), { minLength: 1, maxLength: 3 });
const cutoffs = partly<NonNullable<Preferences["maxLatency"]>>({
  p50: fc.integer({ min: 1, max: 5 }),
  p75: fc.integer({ min: 1, max: 5 }),
  p90: fc.integer({ min: 1, max: 5 }),
  p99: fc.integer({ min: 1, max: 5 }),
});
const usually = <T>(value: T, ...others: T[]) => fc.constantFrom(value, ...others);

/** Filters that leave nobody are of no interest: the strict ones are rare. */
export const preferences: fc.Arbitrary<Preferences> = fc
  .record({
    only: rarely(names),
    ignore: rarely(names),
    order: rarely(names),
    allowFallbacks: rarely(usually(false, true)),
    sort: rarely(fc.constantFrom("price", "throughput", "latency", "load", "exacto")),
    partition: rarely(usually("none", "model")),
    requireParameters: rarely(fc.boolean()),
    dataCollection: rarely(usually("allow", "deny")),
    zdr: rarely(usually(false, false, true)),
    distillableText: rarely(usually(false, false, true)),
    quantizations: rarely(fc.constantFrom(["int4", "int8"], ["int8"], ["fp16", "int4", "int8"])),
    maxPrice: rarely(price),
    minThroughput: rarely(cutoffs),
    maxLatency: rarely(cutoffs),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));

const workerId = fc.integer({ min: 1, max: 9 }).map((at) => `worker-${at}`);
const requestFacts: fc.Arbitrary<RequestFacts> = fc
  .record({
    path: fc.constantFrom("/v1/chat", "/v1/chat", "/v1/chat", "/v1", "/api/tags", "/v1beta"),
    model: fc.constantFrom("m", "m", "m:floor", "m:nitro", "n", "unheard", "m:exacto", undefined),
    models: rarely(fc.uniqueArray(fc.constantFrom("n", "m", "n:floor", "o"), { maxLength: 2 })),
    preferences: fc.option(preferences, { nil: undefined, freq: 9 }),
    parameters: rarely(fc.subarray(["tools", "stop"])),
    session: rarely(fc.constantFrom("s", "t")),
    keptIds: rarely(fc.uniqueArray(fc.constantFrom("k", "l"), { maxLength: 2 })),
    needs: fc.constantFrom([], [], [], ["method" as const], ["binary" as const], ["upgrade" as const]),
    excluded: rarely(
      fc.uniqueArray(
        fc.oneof(
          workerId,
          workerId.map((id) => `${id} m`),
        ),
        { maxLength: 3 },
      ),
    ),
    heldTo: rarely(fc.constantFrom(...PROVIDERS)),
  })
  .map(
    (all) =>
      Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as RequestFacts,
  )
  // Without a model in front the first of the list is it (`asked_models.ts`).
  .map(({ models, ...facts }) => ({
    ...facts,
    model: facts.model,
    ...(models && facts.model !== undefined && { models }),
  }));

const measured = fc.record(
  {
    throughput: fc.integer({ min: 1, max: 4 }).map(percentiles),
    latency: fc.integer({ min: 1, max: 4 }).map(percentiles),
  },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<Measured>;
const known: fc.Arbitrary<KnownFacts> = fc.record({
  measured: fc.array(fc.tuple(fc.constantFrom(...PROVIDERS), fc.constantFrom("m", "n", ""), measured)),
  sticky: fc.array(fc.tuple(fc.constantFrom("s", "t"), fc.constantFrom("m", "n", ""), workerId), {
    maxLength: 3,
  }),
  keepers: fc.array(fc.tuple(fc.constantFrom("k", "l"), workerId), { maxLength: 2 }),
});

/** The absent are as they would come back. */
export const situations: fc.Arbitrary<Situation> = fc.record({
  request: requestFacts,
  present: fc.array(workerFacts, { maxLength: 9, size: "max" }),
  absent: fc
    .array(workerFacts, { maxLength: 2 })
    .map((gone) => gone.map((one) => ({ ...one, draining: false, healthy: true }))),
  known,
});
