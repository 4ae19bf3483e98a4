import type { HostPort } from "../../shared/settings/addresses.ts";
import type { OverrideEndpoint } from "../routing/override_types.ts";
import type { SecretSource } from "./secret_source.ts";
import type { TrustWay } from "./trust.ts";

/** The `[override]` table, read: an `OverridePolicy`, and who may use it. */
export interface OverrideSettings {
  readonly endpoints: readonly ListedEndpoint[];
  readonly keys: readonly OverrideKey[];
  /** Ways that are required together; empty: any one will do. */
  readonly require: readonly TrustWay[];
  /** A listener for overrides only. */
  readonly listen?: OverrideListen | undefined;
  /** More certificate authorities to trust for providers: a PEM file. */
  readonly caFile?: string | undefined;
  /** A DNS server to ask instead of the system's. */
  readonly resolver?: HostPort | undefined;
}

/** An address, or the path of a unix socket. */
export type OverrideListen = HostPort | { readonly unix: string };

/** An endpoint with the credential that is sent to it. */
export interface ListedEndpoint extends OverrideEndpoint {
  /** There when `credential` is `secret`. */
  readonly secret?: SecretSource | undefined;
}

/** What an upstream signs with. */
export interface OverrideKey {
  readonly id: string;
  readonly secret: SecretSource;
  /** Names of endpoints that it is limited to; undefined: every one. */
  readonly endpoints?: ReadonlySet<string> | undefined;
}
