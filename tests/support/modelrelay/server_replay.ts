import assert from "node:assert/strict";
import { test } from "node:test";
import { call, connectWorker, type HttpCall, type SocketProbe, shown } from "./probe.ts";
import { RustServer, type RustServerOptions } from "./rust_server.ts";
import { readBlocks, withoutDate } from "./transcript.ts";

/**
 * The recording of the real server against its stand-in, block by block. What is compared is what stands in the
 * recording: texts literally, dates and durations not.
 */
const BLOCKS = readBlocks("server");

/** The recording in its order, cut into the files that replay it. */
const SECTIONS = { http: 25, workers: 29, requests: 10, queue: 11 };

function titlesOf(section: keyof typeof SECTIONS): string[] {
  const names = Object.keys(SECTIONS) as (keyof typeof SECTIONS)[];
  const before = names.slice(0, names.indexOf(section)).reduce((sum, name) => sum + SECTIONS[name], 0);
  return [...BLOCKS.keys()].slice(before, before + SECTIONS[section]);
}

type Replay = (server: RustServer, lines: string[]) => Promise<void>;

export function serverReplay(section: keyof typeof SECTIONS) {
  const replayed = new Set<string>();
  return {
    /** Replay one block against a server of its own. */
    block(title: string, options: RustServerOptions, replay: Replay): void {
      replayed.add(title);
      test(`server: ${title}`, async () => {
        const lines = BLOCKS.get(title);
        assert.ok(lines && lines.length > 0, "the recording has this block");
        const server = await RustServer.start({ workerSecret: "sek", adminToken: "adm", ...options });
        try {
          await replay(server, lines.map(withoutDate));
        } finally {
          server.kill();
        }
      });
    },
    /** To be called last. `notReplayed`: the reasons why not. */
    checkComplete(notReplayed: Record<string, string> = {}): void {
      test(`server: every block of the section ${section} is replayed or has a reason why not`, () => {
        const all = Object.values(SECTIONS).reduce((sum, count) => sum + count, 0);
        assert.equal(BLOCKS.size, all, "the sections are the whole recording");
        assert.deepEqual([...replayed, ...Object.keys(notReplayed)].sort(), titlesOf(section).sort());
      });
    },
  };
}

export const REGISTER = {
  type: "register",
  worker_name: "w",
  models: ["m"],
  max_concurrent: 1,
  protocol_version: "2026-04-bridge-v1",
};
export const CHAT = "/v1/chat/completions";
export const STREAMED = '{"model":"m","stream":true}';

export const post = (path: string, body: string, headers: Record<string, string> = {}): HttpCall => ({
  method: "POST",
  path,
  body,
  headers,
});
export const chunk = (text: string) => ({ type: "response_chunk", chunk: text });
export const complete = (id: string, more: object = {}) => ({
  type: "response_complete",
  request_id: id,
  status_code: 200,
  ...more,
});

/** A worker that has registered and read its acknowledgement. */
export async function register(server: RustServer): Promise<SocketProbe> {
  const worker = await connectWorker(server.url, { secret: "sek" });
  worker.send(REGISTER);
  await worker.next();
  return worker;
}

/** An answer as the recording shows it. */
export async function comparable(request: HttpCall, server: RustServer): Promise<string> {
  return withoutDate(shown(await call(server.url, request)));
}

/** The time since the start differs, and with it the length. */
export const withoutUptime = (text: string) =>
  text.replace(/(uptime_secs\\?":)[\d.]+/, "$1N").replace(/"content-length":"\d+"/, '"content-length":"N"');
