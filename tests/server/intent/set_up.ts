import { type Intent, readIntent } from "../../../server/intent.ts";

/** A request, as little of it as a test is about: a POST of the chat API. */
export interface Asked {
  method?: string;
  target?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  whole?: boolean;
}

export const JSON_TYPE = { "content-type": "application/json" };
export const FORM_TYPE = { "content-type": "multipart/form-data; boundary=xx" };

/** A part of a form with the boundary `xx`. */
export const part = (name: string, value: string, more = "") =>
  `--xx\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;

export const bytesOf = (body: string | Uint8Array) =>
  typeof body === "string" ? new TextEncoder().encode(body) : body;
export const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

export function intentOf({
  method = "POST",
  target = "/v1/chat/completions",
  headers = {},
  body,
  whole = true,
}: Asked): Intent {
  const peeked = body === undefined ? undefined : bytesOf(body);
  return readIntent({ method, target, headers: new Headers(headers), peeked, whole });
}
