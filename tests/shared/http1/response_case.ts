import type { Outcome } from "./outcome.ts";

/** One response and what is to be made of it. What a case does not name is not compared. */
export interface ResponseCase {
  name: string;
  /** Of the request. Default: GET. */
  method?: string;
  /** Each character one byte. */
  bytes: string;
  status?: number;
  reason?: string;
  headers?: [string, string][];
  body?: string;
  ends: Outcome["ends"];
}

/** Lines with CRLF behind each. */
export function lines(...all: string[]): string {
  return all.map((line) => `${line}\r\n`).join("");
}
