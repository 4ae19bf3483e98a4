import { RelayFailure } from "../../shared/failures.ts";
import type { FieldReader } from "../../shared/received_fields.ts";
import type { ClientKey, ClientKeyMap, Scope } from "./keys_file.ts";
import { ShownKeys } from "./shown_keys.ts";

/** A client that may come in. */
export interface Admitted {
  /** Undefined: it showed no key of ours and none was required. */
  readonly key: ClientKey | undefined;
  /** Headers that hold a key of ours: they stay here. One that holds something else is the backend's. */
  readonly credentialHeaders: readonly string[];
}

/** Headers that hold an API key: OpenAI's, Anthropic's, Azure's. */
const KEY_HEADERS = ["authorization", "x-api-key", "api-key"] as const;

const ANONYMOUS: Admitted = { key: undefined, credentialHeaders: [] };

export interface ClientDoorOptions {
  /** Without a known key nobody comes in. */
  required: boolean;
  /** The keys of this moment. */
  keys(): ClientKeyMap;
}

/** Decides which clients come in. */
export class ClientDoor {
  readonly #shown = new ShownKeys();

  constructor(private readonly options: ClientDoorOptions) {}

  /** The key of ours that the headers show, if any; nobody is refused. */
  find(headers: FieldReader): ClientKey | undefined {
    return this.#find(headers, this.options.keys()).key;
  }

  /** @throws RelayFailure `unauthorized` without a key, `invalid_api_key` with an unknown one */
  authenticate(headers: FieldReader): Admitted {
    const keys = this.options.keys();
    if (keys.size === 0 && !this.options.required) return ANONYMOUS;
    const found = this.#find(headers, keys);
    if (found.key || !this.options.required) return found;
    throw new RelayFailure(
      KEY_HEADERS.some((name) => headers.has(name)) ? "invalid_api_key" : "unauthorized",
    );
  }

  #find(headers: FieldReader, keys: ClientKeyMap): Admitted {
    let key: ClientKey | undefined;
    const credentialHeaders: string[] = [];
    for (const name of KEY_HEADERS) {
      const value = headers.get(name);
      const known = value === null ? undefined : this.#shown.find(value, keys);
      if (!known) continue;
      credentialHeaders.push(name);
      key ??= known;
    }
    return key ? { key, credentialHeaders } : ANONYMOUS;
  }
}

/** @throws RelayFailure `forbidden` when a key is not good for this; without keys everything is allowed to all */
export function requireScope({ key }: Admitted, scope: Scope): void {
  if (key && !key.scopes.has(scope))
    throw new RelayFailure("forbidden", { detail: `it lacks the scope ${scope}` });
}

/** `X-Signalbox-Explain: 1`: the client wants to see how its request is routed. */
export function asksToExplain(headers: FieldReader): boolean {
  return headers.get("x-signalbox-explain") === "1";
}

/** @throws RelayFailure `forbidden` without a key that is good for seeing the routing decision */
export function requireExplain({ key }: Admitted): true {
  if (key?.scopes.has("explain")) return true;
  throw new RelayFailure("forbidden", {
    detail: "X-Signalbox-Explain needs the admin token, or a key with the scope explain",
  });
}
