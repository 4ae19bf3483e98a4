import assert from "node:assert/strict";
import { request as httpsRequest } from "node:https";
import { after, before, test } from "node:test";
import { ReaderFolder } from "../architecture/reader.ts";
import { canMakeCertificates, makeCertificates } from "../support/certificates.ts";
import { RelayProgram } from "../support/program.ts";

/**
 * Reserved paths over TLS. Elysia took the host for a part of the path there: the relay's own paths were relayed, the
 * admin token with them, and `Host: admin` opened `/admin/workers` as `/workers`, to anybody.
 */

const SKIP = { skip: canMakeCertificates() ? false : "needs openssl", timeout: 30_000 };
const TOKEN = "admin-token-of-the-tests";

const folder = new ReaderFolder();
let relay: RelayProgram;
let ca = "";

before(async () => {
  if (SKIP.skip) return;
  const { authorityPem, good } = makeCertificates();
  ca = authorityPem;
  const files = [folder.write("cert.pem", good.certPem), folder.write("key.pem", good.keyPem)];
  relay = await RelayProgram.start([`--tls-cert=${files[0]}`, `--tls-key=${files[1]}`], {
    env: { SIGNALBOX_ADMIN_TOKEN: TOKEN },
  });
});

after(async () => {
  folder[Symbol.dispose]();
  await relay?.kill();
});

interface Asked {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** What the relay answers, and whether it is a refusal of routing. */
function ask({
  path,
  method = "GET",
  headers = {},
  body = "",
}: Asked): Promise<[status: number, text: string]> {
  return new Promise((resolve, reject) => {
    const { port } = relay;
    const target = { host: "127.0.0.1", servername: "localhost", port, ca, path, method, headers };
    const request = httpsRequest(target, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece) => {
        text += piece;
      });
      response.on("end", () => resolve([response.statusCode!, text]));
    });
    request.on("error", reject).end(body);
  });
}

const ADMIN = { authorization: `Bearer ${TOKEN}` };

for (const [asked, text] of [
  [{ path: "/health" }, /"status":"ok"/],
  [{ path: "/v1/models" }, /"object":"list"/],
  [{ path: "/admin/workers", headers: ADMIN }, /^\{"workers":\[\]\}$/],
  [{ path: "/admin/stats", headers: ADMIN }, /"active_workers":0/],
  [{ path: "/admin/route-test", method: "POST", headers: ADMIN, body: '{"path":"/v1/x"}' }, /"version":1/],
] as [Asked, RegExp][]) {
  test(`over TLS the relay answers ${asked.path} itself`, SKIP, async () => {
    const [status, found] = await ask(asked);
    assert.equal(status, 200, found);
    assert.match(found, text);
  });
}

for (const [host, path] of [
  ["admin", "/workers"],
  ["admin", "/stats"],
  ["v1", "/models"],
  ["health", "/"],
] as const) {
  test(`over TLS ${path} is no path of the relay's, whatever the host: ${host}`, SKIP, async () => {
    const [status, text] = await ask({ path, headers: { host } });
    assert.deepEqual([status, text.includes("no_eligible_worker")], [404, true], text);
  });
}
