import { createHash } from "node:crypto";

/** How a line of comment looks in a file. */
export interface CommentStyle {
  readonly open: string;
  readonly close: string;
}

const HASH_COMMENT: CommentStyle = { open: "#", close: "" };
export const XML_COMMENT: CommentStyle = { open: "<!--", close: " -->" };

const SEAL = /^(?:#|<!--) signalbox service: sha256 of the lines above ([0-9a-f]{64})(?: -->)?\n$/;

/**
 * A text with a last line that tells later whether somebody has changed it since: only what is as we wrote it is
 * ours to overwrite and to remove.
 */
export function sealed(text: string, { open, close }: CommentStyle = HASH_COMMENT): string {
  return `${text}${open} signalbox service: sha256 of the lines above ${digest(text)}${close}\n`;
}

/** True for a text that `sealed` gave, of this version or another one, without a change. */
export function isAsSealed(text: string): boolean {
  const start = text.lastIndexOf("\n", text.length - 2) + 1;
  return SEAL.exec(text.slice(start))?.[1] === digest(text.slice(0, start));
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
