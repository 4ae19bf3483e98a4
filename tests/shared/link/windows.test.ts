import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  INITIAL_WINDOW_BYTES,
  MAX_EXCHANGES,
  MAX_WINDOW_BYTES,
  REQUEST_WINDOW_BYTES,
  WINDOW_FLOOR_BYTES,
  WINDOW_POOL_BYTES,
} from "../../../shared/link/limits.ts";
import { type ReceiveWindow, WindowPool } from "../../../shared/link/windows.ts";

/** The peer uses all its credit, and all of it is passed on at once. */
function readAll(window: ReceiveWindow): number {
  const bytes = window.credit;
  assert.ok(window.receive(bytes));
  window.consume(bytes);
  return bytes;
}

test("windows start at what both ends know", () => {
  const pool = new WindowPool();
  assert.equal(pool.openResponseWindow().size, INITIAL_WINDOW_BYTES);
  assert.equal(pool.openRequestWindow().size, REQUEST_WINDOW_BYTES);
  assert.equal(pool.used, INITIAL_WINDOW_BYTES - WINDOW_FLOOR_BYTES);
});

test("a byte over the credit is told, the last byte of it is not", () => {
  const window = new WindowPool().openRequestWindow();
  assert.equal(window.receive(REQUEST_WINDOW_BYTES), true);
  assert.equal(window.receive(1), false);
});

test("credit is granted again when half a window was passed on, not byte by byte", () => {
  const window = new WindowPool().openResponseWindow();
  const half = INITIAL_WINDOW_BYTES / 2;
  window.receive(INITIAL_WINDOW_BYTES);
  assert.equal(window.consume(half - 1), 0);
  assert.equal(window.consume(1), half);
  assert.equal(window.consume(1), 0);
});

test("a fast reader's window doubles with each whole one, up to the limit", () => {
  const window = new WindowPool().openResponseWindow();
  const sizes = Array.from({ length: 6 }, () => {
    readAll(window);
    return window.size / INITIAL_WINDOW_BYTES;
  });
  assert.deepEqual(sizes, [2, 4, 8, 16, 16, 16]);
  assert.equal(window.size, MAX_WINDOW_BYTES);
  assert.equal(window.credit, MAX_WINDOW_BYTES);
});

test("nobody grows while more than half of the pool is in use, who reads shrinks above three quarters", () => {
  const pool = new WindowPool();
  const window = pool.openResponseWindow();
  pool.resize(WINDOW_POOL_BYTES / 2);
  readAll(window);
  assert.equal(window.size, INITIAL_WINDOW_BYTES);
  pool.resize(WINDOW_POOL_BYTES / 4);
  const sizes = Array.from({ length: 6 }, () => {
    readAll(window);
    return window.size;
  });
  const KIB = 1024;
  assert.deepEqual(sizes, [128 * KIB, 64 * KIB, 32 * KIB, 16 * KIB, 16 * KIB, 16 * KIB]);
});

test("a request's window never gets below what both ends know", () => {
  const pool = new WindowPool();
  const window = pool.openRequestWindow();
  pool.resize(WINDOW_POOL_BYTES);
  readAll(window);
  assert.equal(window.size, REQUEST_WINDOW_BYTES);
});

test(`${MAX_EXCHANGES} stalled exchanges leave each at least the floor, and the sum below the limit`, () => {
  const pool = new WindowPool();
  const windows = Array.from({ length: MAX_EXCHANGES }, () => pool.openResponseWindow());
  const total = windows.reduce((sum, window) => sum + window.size, 0);
  assert.ok(Math.min(...windows.map(({ size }) => size)) >= WINDOW_FLOOR_BYTES);
  assert.ok(total <= WINDOW_POOL_BYTES + MAX_EXCHANGES * WINDOW_FLOOR_BYTES);
  assert.ok(pool.used > 0.99 * WINDOW_POOL_BYTES, `${pool.used}`);
  for (const window of windows) window.release();
  assert.equal(pool.used, 0);
});

test("a half that ended holds what is still here, and nothing once the exchange is over", () => {
  const pool = new WindowPool();
  const window = pool.openResponseWindow();
  window.receive(100_000);
  window.consume(20_000);
  window.close();
  assert.equal(window.size, 80_000);
  assert.equal(pool.used, 80_000 - WINDOW_FLOOR_BYTES);
  window.release();
  window.release();
  assert.equal(pool.used, 0);
});

test("more cannot be passed on than is here", () => {
  const window = new WindowPool().openResponseWindow();
  window.receive(10);
  assert.throws(() => window.consume(11), /Cannot consume 11 bytes of a body: 10 are here/);
});

// --- any legal sequence --------------------------------------------------------------------------------------

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("open" as const), request: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("send" as const), which: fc.nat(), share: fc.nat(8) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("read" as const), which: fc.nat(), share: fc.nat(8) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("over" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stall" as const), count: fc.nat(200) }) },
);

/** A share of a whole, in eighths: 0, all, and what lies between. */
const shareOf = (whole: number, eighths: number) =>
  eighths === 8 ? whole : Math.floor((whole * eighths) / 8);

/** The peer's own count of what it may send. */
interface Peer {
  window: ReceiveWindow;
  credit: number;
  here: number;
}

test("after any legal sequence: sums agree, limits hold, and who read everything has granted more than nothing", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const pool = new WindowPool();
      const peers: Peer[] = [];
      const floors = (peer: Peer) => (peer.window.size >= REQUEST_WINDOW_BYTES ? 0 : WINDOW_FLOOR_BYTES);
      const open = (request: boolean) => {
        const window = request ? pool.openRequestWindow() : pool.openResponseWindow();
        peers.push({ window, credit: window.credit, here: 0 });
      };
      for (const taken of steps) {
        if (taken.do === "open") open(taken.request);
        if (taken.do === "stall") for (let count = 0; count < taken.count; count++) open(false);
        const peer = "which" in taken ? peers[taken.which % peers.length] : undefined;
        if (!peer) continue;
        if (taken.do === "send") {
          const bytes = shareOf(peer.credit, taken.share);
          assert.ok(peer.window.receive(bytes), "within its credit");
          peer.credit -= bytes;
          peer.here += bytes;
        } else if (taken.do === "read") {
          const bytes = shareOf(peer.here, taken.share);
          peer.credit += peer.window.consume(bytes);
          peer.here -= bytes;
        } else if (taken.do === "over") {
          peer.window.release();
          peers.splice(peers.indexOf(peer), 1);
        }
        if (taken.do === "over") continue;
        assert.deepEqual([peer.window.unconsumed, peer.window.credit], [peer.here, peer.credit]);
        if (peer.here === 0) assert.ok(peer.window.credit > 0, "no deadlock");
        assert.ok(peer.window.size >= floors(peer) && peer.window.size <= MAX_WINDOW_BYTES);
        assert.ok(pool.used >= 0 && pool.used <= WINDOW_POOL_BYTES, `${pool.used}`);
      }
      for (const { window } of peers) window.release();
      assert.equal(pool.used, 0);
    }),
    { numRuns: 300 },
  );
});
