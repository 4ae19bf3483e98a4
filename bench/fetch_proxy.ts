/**
 * The least that a proxy can be on Bun: `Bun.serve`, and `fetch` with its pool. `bun bench/fetch_proxy.ts ORIGIN` prints
 * its URL. It checks nothing, knows no limits, logs nothing and tells nobody who left.
 */
import process from "node:process";

const [, , origin = ""] = process.argv;

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  fetch(request) {
    const { pathname, search } = new URL(request.url);
    const { method, headers, body } = request;
    return fetch(origin + pathname + search, { method, headers, body, redirect: "manual" });
  },
});
console.log(String(server.url).replace(/\/$/, ""));
