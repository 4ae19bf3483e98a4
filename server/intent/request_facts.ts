import type { FieldReader } from "../../shared/received_fields.ts";
import { isCoded, isJson, mediaType } from "../media_type.ts";

/** What is known of a request before it is routed. */
export interface RequestFacts {
  readonly method: string;
  /** Path and query, as they are forwarded. */
  readonly target: string;
  readonly headers: FieldReader;
  /** The body, as far as it was read; undefined: there is none, or it was not read. */
  readonly peeked?: Uint8Array | undefined;
  /** `peeked` is all of it. */
  readonly whole: boolean;
}

/** What a body is to routing. It looks into none of any other syntax. */
export type BodySyntax = "json" | "form" | "untyped" | "other";

export function bodySyntax(headers: FieldReader): BodySyntax {
  if (isEncoded(headers)) return "other";
  const type = mediaType(headers.get("content-type"));
  if (type === "") return "untyped";
  if (isJson(type)) return "json";
  return type === "multipart/form-data" ? "form" : "other";
}

/** Its bytes are compressed, or otherwise not those of its type. */
export function isEncoded(headers: FieldReader): boolean {
  return isCoded(headers.get("content-encoding"));
}

/** A text of a client's, where an empty one is none. */
export function given(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Of a query's parameter the first. Most queries say nothing to routing: those are not taken apart. */
export function queryParameter(target: string, name: string): string | null {
  const queryAt = target.indexOf("?");
  if (queryAt === -1 || !target.includes(`${name}=`, queryAt)) return null;
  return new URLSearchParams(target.slice(queryAt + 1)).get(name);
}
