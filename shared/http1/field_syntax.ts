/** The characters that RFC 9110 5.1, 5.5 and 5.6.2 allow in header fields, for text and for bytes. */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** A path of the URL standard: visible ASCII, everything else is escaped there. */
const TARGET = /^[\x21-\x7e]*$/;

/** A field name or a method. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** A field value or reason phrase: no control character but the tab, nothing beyond Latin-1. */
export function isFieldValue(text: string): boolean {
  return FIELD_VALUE.test(text);
}

/**
 * Whether a field name, which is a token, is this one; `lower` is in lower case. Unlike `toLowerCase` it makes no
 * text, and mostly sees by the length or the first letter that it is another.
 */
export function isNamed(name: string, lower: string): boolean {
  if (name.length !== lower.length) return false;
  for (let at = 0; at < lower.length; at++) {
    // The bit that tells a small letter from its capital; no other character of a token becomes a letter or "-" by it.
    if ((name.charCodeAt(at) | 0x20) !== lower.charCodeAt(at)) return false;
  }
  return true;
}

/** 1 for every byte that may stand in a token. */
export const TOKEN_BYTES = bytesThat(isToken);
/** 1 for every byte that may stand in a field value. */
export const FIELD_VALUE_BYTES = bytesThat(isFieldValue);
/** 1 for every byte that may stand in the target of a request. */
export const TARGET_BYTES = bytesThat((text) => TARGET.test(text));

function bytesThat(match: (character: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (match(String.fromCharCode(byte)) ? 1 : 0));
}

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;

/** A byte as it is shown in a message: never more than one, so that no secret of a header gets into a log. */
export function showByte(byte: number | undefined): string {
  return byte === undefined ? "the end" : `byte 0x${byte.toString(16).padStart(2, "0")}`;
}

/** No number of so many digits is unsafe. */
const SAFE_DIGITS_MAX = 15;

/** What digits alone say; undefined when there is anything else, nothing, or more of them than are safe for sure. */
export function safeNumber(text: string): number | undefined {
  if (text === "" || text.length > SAFE_DIGITS_MAX) return undefined;
  let number = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    number = 10 * number + digit;
  }
  return number;
}
