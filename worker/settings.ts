import { z } from "zod";
import { backendUrl, relayUrls } from "../shared/settings/addresses.ts";
import { count, durationOrNone, positiveDuration, usd } from "../shared/settings/amounts.ts";
import { processFields } from "../shared/settings/common.ts";
import { field, optionalField } from "../shared/settings/field.ts";
import { labelsTable, parameters } from "../shared/settings/labels_table.ts";
import { secret } from "../shared/settings/secrets.ts";
import { choice, file, flag, models, name, paths } from "../shared/settings/texts.ts";

/** Settings of `signalbox worker`. */
export const workerSettings = z.object({
  proxyUrls: field(relayUrls, {
    group: "Relay",
    key: "proxy-url",
    default: "http://127.0.0.1:8080",
    env: ["PROXY_URL"],
    modelRelay: true,
    says: "Relays to serve, each over a link of its own",
  }),
  provider: field(name, {
    group: "Relay",
    default: "local",
    env: ["PROVIDER_NAME"],
    modelRelay: true,
    says: "Provider to serve under: what clients name in only, ignore and order",
  }),
  workerSecret: optionalField(secret, {
    group: "Relay",
    env: ["WORKER_SECRET"],
    modelRelay: true,
    says: "What the relay asks of workers; a relay on loopback may ask for none",
  }),
  workerName: field(name, {
    group: "Relay",
    default: "worker",
    env: ["WORKER_NAME"],
    modelRelay: true,
    says: "What this worker is called in logs and in X-Signalbox-Worker",
  }),
  caFile: optionalField(file, {
    group: "Relay",
    says: "More certificate authorities to trust for the relay, PEM; the public ones stay trusted",
  }),
  linkForm: field(choice(["auto", "plain"]), {
    group: "Relay",
    default: "auto",
    says: "Form of the link: auto takes the framed one where the relay has it, plain is ModelRelay's",
  }),
  backendUrl: optionalField(backendUrl, {
    group: "Backend",
    env: ["BACKEND_URL"],
    modelRelay: true,
    says: "The HTTP server to forward to, a path in it before theirs; unset, it is looked for on the usual local ports",
  }),
  backendCaFile: optionalField(file, {
    group: "Backend",
    says: "More certificate authorities to trust for an https backend, PEM",
  }),
  models: field(models, {
    group: "Backend",
    default: "*",
    env: ["MODELS"],
    modelRelay: true,
    says: "Models to serve; * asks the backend which ones it has",
  }),
  maxConcurrency: field(count, {
    group: "Backend",
    default: "1",
    env: ["MAX_CONCURRENCY"],
    modelRelay: true,
    says: "Requests that the backend takes at a time",
  }),
  endpointPrefixes: field(paths, {
    group: "Backend",
    default: "",
    env: ["ENDPOINT_PREFIXES"],
    modelRelay: true,
    says: "Paths to serve, each with everything below it; none given means every path",
  }),
  backendConnectTimeoutMs: field(positiveDuration, {
    group: "Backend",
    default: "10s",
    says: "How long connecting to the backend may take",
  }),
  backendFirstByteTimeoutMs: field(durationOrNone, {
    group: "Backend",
    default: "0",
    says: "From the end of a request to the backend's first byte, 0 for ever: the relay keeps a limit too",
  }),
  backendIdleTimeoutMs: field(durationOrNone, {
    group: "Backend",
    default: "300s",
    says: "Between two pieces of the backend's answer, 0 for ever",
  }),
  labels: optionalField(labelsTable, {
    group: "Labels",
    says: "What this worker declares for clients' preferences, for all models or single ones; flags below are stronger",
  }),
  quantization: optionalField(name, {
    group: "Labels",
    says: "How the models are quantized: fp16, int8, q4_k_m",
  }),
  dataCollection: optionalField(choice(["allow", "deny"]), {
    group: "Labels",
    says: "What becomes of prompts; deny: they are neither kept for training nor shown to others",
  }),
  zdr: optionalField(flag, {
    group: "Labels",
    says: "Zero data retention: prompts are not kept at all",
  }),
  distillableText: optionalField(flag, {
    group: "Labels",
    says: "The models' licences allow training on their output",
  }),
  supportedParameters: optionalField(parameters, {
    group: "Labels",
    says: "Members of a request body that the backend obeys: tools, temperature",
  }),
  pricePrompt: optionalField(usd, {
    group: "Labels",
    says: "Price of a million tokens of prompt, in US dollars",
  }),
  priceCompletion: optionalField(usd, {
    group: "Labels",
    says: "Price of a million tokens of completion, in US dollars",
  }),
  ...processFields,
  status: field(flag, {
    group: "Process",
    default: "true",
    says: "On a terminal, show how the worker is in its last line",
  }),
});

/** Settings of `signalbox worker`, read. Durations in milliseconds; "no limit" is `Infinity`. */
export type WorkerSettings = z.output<typeof workerSettings>;
