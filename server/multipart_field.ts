import { Buffer } from "node:buffer";
import type { Span } from "./json_members.ts";

/** A field's value, and where it stands. */
export interface FormField extends Span {
  readonly value: string;
}

/** A form has a dozen fields. Whoever sends a megabyte of empty ones is not to have each looked at. */
const PARTS_MAX = 100;
/** The head of a part holds two or three short lines. */
const HEAD_MAX_BYTES = 1_024;
/** A field that is wanted here is a name; a longer value is none. */
const VALUE_MAX_BYTES = 1_024;

/**
 * A text field of a `multipart/form-data` body (RFC 7578), by its name, from as much of the body as there is.
 * Undefined when it is not in there, whole and without a file name.
 */
export function multipartField(body: Uint8Array, contentType: string, field: string): FormField | undefined {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let part = bytes.indexOf(`--${boundary}`);
  for (let count = 0; part !== -1 && count < PARTS_MAX; count++) {
    const headEnd = bytes.indexOf("\r\n\r\n", part);
    const end = headEnd === -1 ? -1 : bytes.indexOf(`\r\n--${boundary}`, headEnd + 4);
    if (end === -1) return undefined;
    if (headEnd - part <= HEAD_MAX_BYTES && isField(bytes.toString("utf8", part, headEnd), field)) {
      const start = headEnd + 4;
      if (end - start > VALUE_MAX_BYTES) return undefined;
      return { value: bytes.toString("utf8", start, end), start, end };
    }
    part = end + 2;
  }
  return undefined;
}

/** RFC 2046 5.1.1: one to 70 characters, in quotes or not. */
function boundaryOf(contentType: string): string | undefined {
  return /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType)?.slice(1).find(Boolean);
}

function isField(head: string, field: string): boolean {
  const disposition = /^content-disposition:.*$/im.exec(head)?.[0] ?? "";
  if (/;\s*filename\*?=/i.test(disposition)) return false;
  const name = /;\s*name=(?:"([^"]*)"|([^\s;"]*))/i.exec(disposition);
  return (name?.[1] ?? name?.[2]) === field;
}
