/** A response as it stands on the wire. */
export interface RawResponse {
  /** 0 while there is no status line. */
  status: number;
  /** Names in lower case; of repeated ones the last. */
  headers: Map<string, string>;
  /** Chunks joined, each byte one character. */
  body: string;
  /** All of it is there: a truncated one never becomes this. */
  complete: boolean;
}

const NOTHING: RawResponse = { status: 0, headers: new Map(), body: "", complete: false };

/** The `number`th response in a connection's bytes. 1xx are skipped; answers to HEAD are not understood. */
export function readResponse(received: string, number = 0): RawResponse {
  let rest = received;
  for (let at = 0; ; ) {
    const { response, length } = readOne(rest);
    if (!response.complete) return at === number ? response : NOTHING;
    rest = rest.slice(length);
    if (response.status < 200) continue;
    if (at++ === number) return response;
  }
}

/** The code of a failure, in whichever dialect. */
export function failureCode({ body }: RawResponse): string {
  const parsed = JSON.parse(body) as { code?: string; error?: { code?: string } };
  return parsed.error?.code ?? parsed.code ?? "";
}

function readOne(text: string): { response: RawResponse; length: number } {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return { response: NOTHING, length: 0 };
  const [line = "", ...fields] = text.slice(0, headEnd).split("\r\n");
  const status = Number(line.split(" ")[1]);
  const headers = new Map(fields.map(pair));
  const start = headEnd + 4;
  const rest = text.slice(start);
  const { body, length, complete } =
    headers.get("transfer-encoding") === "chunked"
      ? readChunks(rest)
      : readLength(rest, status < 200 || status === 204 ? 0 : Number(headers.get("content-length") ?? 0));
  return { response: { status, headers, body, complete }, length: start + length };
}

function pair(field: string): [string, string] {
  const colon = field.indexOf(":");
  return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
}

function readLength(text: string, length: number) {
  return { body: text.slice(0, length), length, complete: text.length >= length };
}

function readChunks(text: string): { body: string; length: number; complete: boolean } {
  let body = "";
  for (let at = 0; ; ) {
    const match = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 32));
    if (!match) return { body, length: at, complete: false };
    const size = Number.parseInt(match[1]!, 16);
    const start = at + match[0].length;
    if (size === 0) return { body, length: start + 2, complete: text.length >= start + 2 };
    body += text.slice(start, start + size);
    at = start + size + 2;
    if (text.length < at) return { body, length: at, complete: false };
  }
}
