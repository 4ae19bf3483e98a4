import fc, { type Arbitrary } from "fast-check";
import { EXPLAINED } from "./routed_request.ts";

/** A request of which all but the ids is settled. */
export interface RandomRequest {
  readonly method: string;
  /** `{kept}` stands for an id that a backend gave before, as in the body. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Which of those ids. */
  readonly keptAt: number;
}

/** The relay that they are for looks at so much of a body, so that some are longer. */
export const PEEK_LIMIT_BYTES = 96 * 1024;

/** @param seed the same one gives the same requests */
export function randomRequests(seed: number, count: number): RandomRequest[] {
  return fc.sample(requests, { seed, numRuns: count });
}

const percent = <T>(share: number, arbitrary: Arbitrary<T>): Arbitrary<T | undefined> =>
  fc.oneof({ weight: share, arbitrary }, { weight: 100 - share, arbitrary: fc.constant(undefined) });

const oneOf = <const T>(...values: readonly T[]) => fc.constantFrom(...values);

/** Often one value, else one of others. */
const mostly = <const T>(share: number, usual: readonly T[], other: readonly T[]): Arbitrary<T> =>
  fc.oneof(
    { weight: share, arbitrary: fc.constantFrom(...usual) },
    { weight: 100 - share, arbitrary: fc.constantFrom(...other) },
  );

const providerNames = fc.uniqueArray(
  mostly(
    90,
    ["attic", "home", "home/3060", "home/4090", "lab", "cloud"],
    ["Home", "nobody", "lab/a", "home/"],
  ),
  { minLength: 0, maxLength: 3 },
);
const sortKey = oneOf("price", "throughput", "latency", "load", "exacto");
const perToken = oneOf<number | string>(0, 0.05, 0.3, "0.6", 3, 20);
const percentile = oneOf(0.001, 0.01, 0.05, 1, 50, 1000, 100_000);
const cutoff = fc.oneof(
  percentile,
  fc.record({ p50: percent(60, percentile), p75: percent(30, percentile), p90: percent(30, percentile) }),
);

/** The right ones, each seldom enough that some are left to serve. */
const rightPreferences = fc.record({
  only: percent(12, providerNames),
  ignore: percent(12, providerNames),
  order: percent(20, providerNames),
  allow_fallbacks: percent(15, fc.boolean()),
  sort: percent(
    25,
    fc.oneof(sortKey, fc.record({ by: sortKey, partition: percent(60, oneOf("model", "none")) })),
  ),
  require_parameters: percent(10, fc.boolean()),
  data_collection: percent(10, oneOf("allow", "deny")),
  zdr: percent(8, fc.boolean()),
  enforce_distillable_text: percent(6, fc.boolean()),
  quantizations: percent(8, fc.subarray(["int8", "q4_0", "fp16", "bf16", "FP8", "unknown"])),
  max_price: percent(
    10,
    fc.record({
      prompt: percent(50, perToken),
      completion: percent(50, perToken),
      request: percent(20, perToken),
    }),
  ),
  preferred_min_throughput: percent(10, cutoff),
  preferred_max_latency: percent(10, cutoff),
});

/** Misspelt members, which are warned of. */
const misspelt = fc.record({
  onyl: percent(30, providerNames),
  Sort: percent(30, sortKey),
  max_prices: percent(30, oneOf(1)),
  allow_fallback: percent(30, fc.boolean()),
});

/** Values of the wrong kind, which are refused, and `null`, which is nothing. */
const wrong = fc.oneof(
  ...["only", "sort", "zdr", "max_price", "data_collection", "quantizations", "preferred_max_latency"].map(
    (name) => fc.record({ [name]: oneOf<unknown>("yes", 7, [7], { by: "size" }, null, -1) }),
  ),
);

const merged = (...parts: Arbitrary<object>[]): Arbitrary<object> =>
  fc.tuple(...parts).map((objects) => Object.assign({}, ...objects) as object);

const preferences: Arbitrary<unknown> = fc.oneof(
  { weight: 80, arbitrary: rightPreferences },
  { weight: 8, arbitrary: merged(rightPreferences, misspelt) },
  { weight: 6, arbitrary: merged(rightPreferences, wrong) },
  { weight: 6, arbitrary: oneOf<unknown>("lab", ["lab"], null, {}, 3) },
);

const modelName = fc
  .tuple(
    mostly(
      88,
      ["small", "small", "timed", "medium", "big", "tuned", "odd"],
      ["smal", "odd:floor", "größer", "a/b"],
    ),
    mostly(80, [""], [":nitro", ":floor", ":exacto", ":free", ":"]),
  )
  .map(([name, suffix]) => name + suffix);

const members = fc.record({
  model: percent(85, mostly<unknown>(97, ["{model}"], ["", 5, null])),
  models: percent(
    15,
    fc.oneof(
      { weight: 95, arbitrary: fc.array(modelName, { maxLength: 3 }) },
      { weight: 5, arbitrary: oneOf<unknown>("small", [1], null) },
    ),
  ),
  provider: percent(65, preferences),
  session_id: percent(20, mostly<unknown>(90, ["one", "two", "three"], ["", 7, "x".repeat(300)])),
  stream: percent(25, mostly<unknown>(90, [true], [false, "true"])),
  store: percent(5, fc.boolean()),
  previous_response_id: percent(8, mostly(80, ["{kept}"], ["nobodys"])),
  temperature: percent(30, oneOf(0)),
  tools: percent(15, oneOf([])),
  logprobs: percent(5, oneOf(true)),
});

/** Some are longer than what is looked at; of those some say what they want at the end. */
const json: Arbitrary<string> = fc
  .tuple(
    members,
    modelName,
    percent(12, fc.record({ length: oneOf(1500, 70_000, 99_000, 200_000), first: fc.boolean() })),
  )
  .map(([object, model, padding]) => {
    const named = object.model === "{model}" ? { ...object, model } : object;
    if (!padding) return JSON.stringify(named);
    const prompt = "p".repeat(padding.length);
    return JSON.stringify(padding.first ? { prompt, ...named } : { ...named, prompt });
  });

interface Content {
  readonly type?: string;
  readonly body?: string;
}

const form = modelName.map((model): Content => {
  const part = `--edge\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n--edge--\r\n`;
  return { type: "multipart/form-data; boundary=edge", body: part };
});

const content: Arbitrary<Content> = fc.oneof(
  { weight: 80, arbitrary: json.map((body) => ({ type: "application/json", body })) },
  { weight: 4, arbitrary: json.map((body) => ({ body })) },
  { weight: 3, arbitrary: json.map((body) => ({ type: "application/vnd.x+json; charset=utf-8", body })) },
  { weight: 3, arbitrary: json.map((body) => ({ type: "text/plain", body })) },
  { weight: 3, arbitrary: json.map((body) => ({ type: "application/octet-stream", body })) },
  { weight: 4, arbitrary: form },
  { weight: 3, arbitrary: fc.constant({}) },
);

const path = fc
  .tuple(
    mostly(
      85,
      [
        "/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/api/chat",
        "/v1/messages",
      ],
      [
        ...["/v1/responses/{kept}", "/v1/files", "/v1/files/{kept}/content", "/v1/embeddings", "/v1/chatter"],
        ...[
          "/v1/chat",
          "/v2/chat",
          "/x/y%2Fz",
          "/",
          "/v1/models",
          "/health",
          "/metrics",
          "/admin/none",
          "/secret/x",
        ],
      ],
    ),
    mostly(90, [""], ["?model=tuned", "?stream=true", "?model=small%3Afloor&x=1", "?models=big"]),
  )
  .map(([name, query]) => name + query);

const method = mostly(78, ["POST"], ["GET", "GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"]);

const headers = fc.record({
  "x-model": percent(
    10,
    modelName.filter((name) => !name.includes("ö")),
  ),
  "x-provider": percent(
    10,
    fc.oneof(
      oneOf("lab", "home, cloud", " ,", "{", "[1]"),
      rightPreferences.map((object) => JSON.stringify(object)),
    ),
  ),
  "x-session-id": percent(8, oneOf("one", "two", "four")),
  accept: percent(12, oneOf("audio/mpeg", "text/event-stream", "application/json, */*")),
  "content-encoding": percent(2, oneOf("gzip", "identity")),
  "x-openrouter-title": percent(4, oneOf("title")),
  "x-provider-endpoint": percent(1, oneOf("https://endpoint.test/v1")),
});

const BODILESS = ["GET", "HEAD", "OPTIONS", "DELETE"];

const requests: Arbitrary<RandomRequest> = fc
  .record({
    method,
    path,
    headers,
    content,
    explained: fc.boolean(),
    isChunked: percent(8, fc.constant(true)),
    keptAt: fc.nat(10_000),
  })
  .map(({ method, path, headers, content, explained, isChunked, keptAt }) => {
    const { type, body } = BODILESS.includes(method) ? {} : content;
    const encoding = body !== undefined && isChunked ? "chunked" : undefined;
    const given = Object.entries({ ...headers, "content-type": type, "transfer-encoding": encoding }).filter(
      ([, value]) => value !== undefined,
    );
    const fields = { ...Object.fromEntries(given), ...(explained && EXPLAINED) } as Record<string, string>;
    return { method, path, headers: fields, body, keptAt };
  });
