// https://docs.deno.com/api/node/http/~/IncomingMessage
import type { IncomingMessage } from "node:http";
import { normalTarget } from "./target.ts";

/** Where a path may begin, behind an origin. */
const ABSOLUTE_FORM = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i;

/** Which the constructor of a Request does not take: whoever handles requests is to refuse them. */
const UNCONSTRUCTIBLE = /^(?:TRACE|TRACK|CONNECT)$/;

/** For requests whose `Host` is none: they are to be refused, and a Request has to have an origin. */
const NO_HOST = "localhost";

/** The path and query that a request asks for, as the URL standard writes them. */
export function targetOf(incoming: IncomingMessage): string {
  const written = incoming.url!.replace(ABSOLUTE_FORM, "");
  // "*" of OPTIONS is no path.
  return normalTarget(/^(?:[/?#]|$)/.test(written) ? written : `/${written}`);
}

/** The request as Bun would give it: with the `Host` that it named, and for a router with the path of `target`. */
export function requestOf(incoming: IncomingMessage, target: string, secure: boolean): Request {
  const method = incoming.method!;
  const origin = `${secure ? "https" : "http"}://${incoming.headers.host ?? NO_HOST}`;
  const url = isOrigin(origin) ? origin + target : `http://${NO_HOST}${target}`;
  // The body of a GET or a HEAD, which a Request cannot have, is for whoever looks at its headers to refuse.
  const body = method === "GET" || method === "HEAD" || !announcesBody(incoming) ? null : bodyOf(incoming);
  const request = UNCONSTRUCTIBLE.test(method)
    ? Object.defineProperty(new Request(url), "method", { value: method })
    : new Request(url, { method, body, duplex: "half" } as RequestInit);
  // Given to the constructor they would take 30 µs more.
  const { rawHeaders } = incoming;
  const { headers } = request;
  let hasEmpty = false;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name, value] = [rawHeaders[at]!, rawHeaders[at + 1]!];
    // Of several lines an empty first one is left out where fields are walked through, though not where one is asked for.
    if (hasEmpty && headers.get(name) === "") headers.set(name, `, ${value}`);
    else headers.append(name, value);
    hasEmpty ||= value === "";
  }
  return request;
}

/** A `Host` with a slash would pass for a part of the path. */
function isOrigin(origin: string): boolean {
  return !/[/?#\\]/.test(origin.slice(origin.indexOf("//") + 2)) && URL.canParse(origin);
}

/**
 * Whether a body comes in a way that Bun refuses: in a coding beside its chunks, which nobody would undo, or in chunks
 * from a client of HTTP/1.0, which may not have meant that (RFC 9112 6.1).
 */
export function hasForeignCoding({ headers, httpVersion }: IncomingMessage): boolean {
  const coding = headers["transfer-encoding"];
  return coding !== undefined && (coding.toLowerCase() !== "chunked" || httpVersion === "1.0");
}

/** Whether a body follows the head (RFC 9112 6.3). */
function announcesBody({ headers }: IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

/**
 * Taken from the connection as it is read, a chunk at a time, and breaking off with it. What comes when nobody wants
 * more of it is thrown away.
 */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let over = false;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const broken = () => {
          if (over) return;
          over = true;
          controller.error(new Error("the client left before its body had arrived"));
        };
        incoming.on("data", ({ buffer, byteOffset, length }: Buffer) => {
          if (over) return;
          controller.enqueue(new Uint8Array(buffer, byteOffset, length));
          if (controller.desiredSize! <= 0) incoming.pause();
        });
        incoming.on("end", () => {
          if (over) return;
          over = true;
          controller.close();
        });
        incoming.on("error", broken);
        incoming.on("close", broken);
        incoming.pause();
      },
      pull() {
        incoming.resume();
      },
      cancel() {
        over = true;
        // A client may send all of it before it reads an answer.
        incoming.resume();
      },
    },
    { highWaterMark: 0 },
  );
}
