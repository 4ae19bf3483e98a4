import { spawn, spawnSync } from "node:child_process";
import process from "node:process";

/** Why curl cannot be used here; undefined when it can, and where it must (`.ci/run`). */
export function noCurl(): string | undefined {
  if (process.env.SIGNALBOX_TEST_REQUIRE_ALL) return undefined;
  return spawnSync("curl", ["--version"]).status === 0 ? undefined : "needs curl";
}

/** What curl got: every head with its fields as they came, and the bytes of the body. */
export interface CurlAnswer {
  exitCode: number;
  stderr: string;
  /** Interim ones (100, 103) and those of redirects that were followed come first. */
  heads: CurlHead[];
  body: Buffer;
}

export interface CurlHead {
  status: number;
  /** Names in lower case, in order; values as Latin-1. */
  headers: [name: string, value: string][];
}

/** Run `curl -i`; never reads the user's `.curlrc`, never uses a proxy. */
export async function curl(args: string[], stdin?: Uint8Array): Promise<CurlAnswer> {
  const child = spawn("curl", ["-q", "-sS", "-i", "--noproxy", "*", "--max-time", "20", ...args]);
  const out: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (bytes) => out.push(bytes));
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  child.stdin.on("error", () => {}).end(stdin);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 128));
  });
  return { exitCode, stderr, ...split(Buffer.concat(out)) };
}

/** The final head of an answer. */
export function headOf({ heads, exitCode, stderr }: CurlAnswer): CurlHead {
  const head = heads.at(-1);
  if (!head) throw new Error(`Wanted an answer, curl found none: exit code ${exitCode}, ${stderr}`);
  return head;
}

/** All values of a field. */
export function valuesOf(head: CurlHead, name: string): string[] {
  return head.headers.filter(([field]) => field === name).map(([, value]) => value);
}

function split(all: Buffer): Pick<CurlAnswer, "heads" | "body"> {
  const heads: CurlHead[] = [];
  let body = all;
  for (;;) {
    const end = body.indexOf("\r\n\r\n");
    if (end < 0 || !body.subarray(0, 5).equals(Buffer.from("HTTP/"))) return { heads, body };
    const head = readHead(body.subarray(0, end).toString("latin1"));
    heads.push(head);
    body = body.subarray(end + 4);
    if (head.status >= 200) return { heads, body };
  }
}

function readHead(text: string): CurlHead {
  const [statusLine = "", ...lines] = text.split("\r\n");
  return {
    status: Number(statusLine.split(" ")[1]),
    headers: lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  };
}
