import assert from "node:assert/strict";
import { test } from "node:test";
import { RawBackend } from "../../support/raw_backend.ts";
import { Carried, dialerOf, POST, sized, targetOf } from "./set_up.ts";

/** What is written before there is a connection: nothing of it is lost, and none of it is kept as the writer's bytes. */

const HEADS = { "of unknown length": POST, "of announced length": sized(12) };
const ADDRESSES = { "at the first address": ["127.0.0.1"], "at the second": ["127.99.99.99", "127.0.0.1"] };

for (const [length, head] of Object.entries(HEADS)) {
  for (const [where, addresses] of Object.entries(ADDRESSES)) {
    const title = `a body ${length} arrives ${where}, written`;
    test(`${title} before its name is resolved`, () => arrives(head, { addresses, isKnown: false }));
    test(`${title} while it is dialled`, () => arrives(head, { addresses, isKnown: true }));
  }
}

async function arrives(
  head: typeof POST,
  { addresses, isKnown }: { addresses: string[]; isKnown: boolean },
): Promise<void> {
  await using provider = await RawBackend.start(async (request) => {
    await request.receivedWhole();
    request.reply(200, request.body.toString(), { connection: "close" });
  });
  const { dialer } = dialerOf({ lookup: async () => addresses });
  const target = targetOf({ port: provider.port });
  try {
    if (isKnown) await new Carried(dialer, target).over();
    const one = new Carried(dialer, target, head);
    for (const text of ["one ", "two ", "four"]) {
      const bytes = new TextEncoder().encode(text);
      one.exchange.write(bytes);
      bytes.fill(0);
      one.exchange.flush?.();
    }
    one.exchange.end();
    assert.equal((await one.over()).text, "one two four");
  } finally {
    dialer.close();
  }
}
