import { sanitisePrefixes } from "../endpoint_prefixes.ts";
import { LABELS_MAX_UNITS, type Labels } from "../labels.ts";
import { readLabels } from "../read_labels.ts";
import { LinkProtocolError } from "./events.ts";
import { FEATURE, type MessageNamed, PROTOCOL_VERSION } from "./messages.ts";

/** What the relay keeps of what a worker says about itself. More is cut off with a warning, never refused. */
export const REGISTRATION_LIMITS = {
  /** A label for lists and logs; a host name has 64 characters at most on Linux. */
  nameUnits: 128,
  /** The largest catalogues of single backends have some hundred. */
  models: 1024,
  /** The longest names on model hubs have 96, and a file path may be one. */
  modelUnits: 256,
  /** More requests at a time than this is a typing error; no machine has the sockets. */
  maxConcurrent: 100_000,
  /** `session`, `provider_variant`, each feature. */
  tokenUnits: 128,
  features: 64,
  labelsUnits: LABELS_MAX_UNITS,
  /** The others are counted in one more. */
  labelWarnings: 20,
};
export type RegistrationLimits = typeof REGISTRATION_LIMITS;

/** A worker as the relay takes it. */
export interface Registration {
  name: string;
  /** With its variant. */
  provider: string;
  /** `"*"` is any model. */
  models: string[];
  maxConcurrent: number;
  load: number;
  /** Empty: all paths. */
  endpointPrefixes: string[];
  /** What both ends have, in the order of the relay's own list. */
  features: string[];
  labels: Labels;
  session?: string;
  /** It takes the method from the request. ModelRelay's worker always posts, unless it knows prefixes too. */
  knowsMethod: boolean;
}

export interface RegistrationOptions {
  workerId: string;
  /** The provider that it connected as. */
  provider: string;
  /** What the relay offers. */
  features: readonly string[];
  limits?: RegistrationLimits;
}

export interface AcceptedRegistration {
  registration: Registration;
  ack: MessageNamed<"register_ack">;
  warnings: string[];
}

/**
 * What becomes of a worker's `register`, and the answer to it. For ModelRelay's worker the answer has no member
 * that ModelRelay's server would not send.
 *
 * @throws LinkProtocolError when it names another protocol version.
 */
export function acceptRegister(
  register: MessageNamed<"register">,
  options: RegistrationOptions,
): AcceptedRegistration {
  const { limits = REGISTRATION_LIMITS } = options;
  const version = register.protocol_version;
  if (version !== undefined && version !== PROTOCOL_VERSION) {
    const found = JSON.stringify(version.slice(0, limits.tokenUnits));
    throw new LinkProtocolError(
      `Cannot register: protocol_version must be ${PROTOCOL_VERSION} or absent: found ${found}`,
    );
  }
  const { prefixes, warnings } = sanitisePrefixes(register.endpoint_prefixes ?? []);
  const features = commonFeatures(register.features ?? [], options.features, limits);
  const session = token("session", register.session, { limits, warnings });
  const variant = token("provider_variant", register.provider_variant, { limits, warnings });
  const registration: Registration = {
    name: workerName(register.worker_name, limits, warnings),
    provider: withVariant(options.provider, variant, warnings),
    models: sanitiseModels(register.models, limits, warnings),
    maxConcurrent: clampConcurrency(register.max_concurrent, limits, warnings),
    load: register.current_load ?? 0,
    endpointPrefixes: prefixes,
    features,
    labels: sanitiseLabels(register.labels ?? {}, limits, warnings),
    ...(session === undefined ? {} : { session }),
    knowsMethod:
      register.endpoint_prefixes !== undefined || (register.features ?? []).includes(FEATURE.method),
  };
  return {
    registration,
    ack: toAck(register, registration, { workerId: options.workerId, warnings }),
    warnings,
  };
}

/** Models as they are kept: also what a `models_update` carries. Warnings are appended. */
export function sanitiseModels(
  models: readonly string[],
  limits: RegistrationLimits,
  warnings: string[],
): string[] {
  const named = models.map((model) => model.trim()).filter((model) => model !== "");
  const short = named.filter((model) => model.length <= limits.modelUnits);
  if (short.length < named.length) {
    warnings.push(
      `models longer than ${limits.modelUnits} characters were dropped: ${named.length - short.length}`,
    );
  }
  const distinct = [...new Set(short)];
  if (distinct.length > limits.models) {
    warnings.push(`only the first ${limits.models} models were kept: ${distinct.length} were given`);
  }
  if (distinct.length === 0) warnings.push("worker registered without any routable models");
  return distinct.slice(0, limits.models);
}

function toAck(
  register: MessageNamed<"register">,
  registration: Registration,
  { workerId, warnings }: { workerId: string; warnings: string[] },
): MessageNamed<"register_ack"> {
  const { models, features, endpointPrefixes } = registration;
  return {
    type: "register_ack",
    worker_id: workerId,
    models,
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(register.protocol_version === undefined ? {} : { protocol_version: register.protocol_version }),
    ...(register.endpoint_prefixes === undefined ? {} : { endpoint_prefixes: endpointPrefixes }),
    ...(features.length === 0 ? {} : { features }),
  };
}

/** Not trimmed, as in ModelRelay: it is shown, not compared. */
function workerName(name: string, { nameUnits }: RegistrationLimits, warnings: string[]): string {
  if (name.trim() === "") warnings.push("worker_name was empty after trimming");
  if (name.length <= nameUnits) return name;
  warnings.push(`worker_name was cut to ${nameUnits} characters`);
  return name.slice(0, nameUnits).toWellFormed();
}

function clampConcurrency(asked: number, { maxConcurrent }: RegistrationLimits, warnings: string[]): number {
  if (asked > maxConcurrent) warnings.push(`max_concurrent was lowered to ${maxConcurrent}: found ${asked}`);
  return Math.min(Math.max(asked, 1), maxConcurrent);
}

function commonFeatures(
  theirs: readonly string[],
  ours: readonly string[],
  limits: RegistrationLimits,
): string[] {
  const known = new Set(theirs.slice(0, limits.features));
  return ours.filter((feature) => known.has(feature));
}

function token(
  member: string,
  value: string | undefined,
  { limits: { tokenUnits }, warnings }: { limits: RegistrationLimits; warnings: string[] },
): string | undefined {
  if (value === undefined || (value !== "" && value.length <= tokenUnits)) return value;
  warnings.push(`${member} was dropped: it must have 1 to ${tokenUnits} characters: found ${value.length}`);
  return undefined;
}

/** A connect URL that names a variant (`home/4090`) is what the worker's secret was looked at for: it counts. */
function withVariant(provider: string, variant: string | undefined, warnings: string[]): string {
  if (variant === undefined) return provider;
  if (!provider.includes("/")) return `${provider}/${variant}`;
  warnings.push("provider_variant was dropped: the provider has one already");
  return provider;
}

function sanitiseLabels(
  raw: Record<string, unknown>,
  { labelsUnits, labelWarnings }: RegistrationLimits,
  warnings: string[],
): Labels {
  // Depth first: Bun takes two seconds to find out that a value is nested too deep for JSON.stringify.
  if (!isShallow(raw, LABELS_DEPTH) || JSON.stringify(raw).length > labelsUnits) {
    warnings.push(
      `labels were dropped: at most ${labelsUnits} characters as JSON and ${LABELS_DEPTH} levels are kept`,
    );
    return {};
  }
  const { labels, wrong } = readLabels(raw);
  for (const { name, problem } of wrong.slice(0, labelWarnings)) {
    warnings.push(`label ${name} was dropped: it ${problem}`);
  }
  if (wrong.length > labelWarnings) warnings.push(`${wrong.length - labelWarnings} more labels were dropped`);
  return labels;
}

/** The price of a model in `models`, and one to spare. */
const LABELS_DEPTH = 5;

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((item) => isShallow(item, levels - 1));
}
