import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { endRelay, startRelay, workersOf, workersWhen } from "../support/admin_view.ts";
import { FORMS, formFlag } from "../support/link_form.ts";
import { type RelayProgram, WorkerProgram } from "../support/program.ts";
import { RawBackend } from "../support/raw_backend.ts";
import { ask } from "../support/raw_client.ts";
import { RoutingStand, routed, says } from "../support/routing_stand.ts";

/** What a worker keeps is with its process: it is found there again when the process comes back over another link. */

let relay: RelayProgram;

before(async () => {
  relay = await startRelay(["--max-worker-handshakes=1000"]);
});

after(async () => {
  await endRelay(relay);
});

/** A way to the relay that can be cut. */
class Wire implements AsyncDisposable {
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;

  private constructor(port: number) {
    this.#server = net.createServer((near) => {
      const far = net.connect(port, "127.0.0.1");
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => {}).on("close", () => to.destroy());
        from.pipe(to);
      }
    });
  }

  static async to(port: number): Promise<Wire> {
    const wire = new Wire(port);
    await new Promise<void>((resolve) => wire.#server.listen(0, "127.0.0.1", resolve));
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const ID_OF = (name: string) => `resp_of_${name}`;

function backend(name: string): Promise<RawBackend> {
  return RawBackend.start((request) => request.replyJson({ id: ID_OF(name), object: "response" }));
}

describe("a worker of ours whose link was cut", () => {
  for (const form of FORMS) {
    test(`gets follow-ups as before (${form} link)`, async () => {
      const [one, two] = [`one-${form}`, `two-${form}`];
      await using backendOne = await backend(one);
      await using backendTwo = await backend(two);
      await using wire = await Wire.to(relay.port);
      const flags = (provider: string) => [
        ...[`--models=${form}`, `--provider=${provider}`, "--max-concurrency=4", formFlag(form)],
      ];
      await using _one = await WorkerProgram.start(wire.url, backendOne.url, flags(one));
      await using _two = await WorkerProgram.start(relay.url, backendTwo.url, flags(two));
      const headers = { "x-model": form };
      const made = await ask(relay.port, {
        path: "/v1/responses",
        body: { input: "x" },
        headers: { ...headers, "x-provider": one },
      });
      assert.deepEqual([made.status, JSON.parse(made.body).id], [200, ID_OF(one)]);
      const followUps = async () => {
        const found = [];
        for (let time = 0; time < 4; time++) {
          const path = `/v1/responses/${ID_OF(one)}`;
          found.push(routed(await ask(relay.port, { method: "GET", path, headers })).provider);
        }
        return found;
      };
      assert.deepEqual(await followUps(), [one, one, one, one]);
      const idOf = (workers: { provider: string; worker_id: string }[]) =>
        workers.find(({ provider }) => provider === one)?.worker_id;
      const id = idOf(await workersOf(relay));
      wire.cut();
      await workersWhen(relay, (workers) => ![undefined, id].includes(idOf(workers)), 10_000);
      assert.deepEqual(await followUps(), [one, one, one, one]);
    });
  }
});

for (const form of FORMS) {
  test(`a new link of the same process takes over, another process of that name does not (${form})`, async () => {
    await using stand = new RoutingStand(relay, form);
    const json: [string, string][] = [["content-type", "application/json"]];
    const id = `resp_${stand.model}`;
    const makes = says(200, `{"id":"${id}"}`, json);
    const register = { session: `session-${form}`, max_concurrent: 4 };
    await stand.worker("p", makes, register);
    assert.equal((await stand.ask({}, { path: "/v1/responses" })).status, 200);
    for (const name of ["q", "r"]) await stand.worker(name, says(200, name), { max_concurrent: 4 });
    const followUps = async () => {
      const found = new Set<string>();
      for (let time = 0; time < 6; time++) {
        const headers = { "x-model": stand.model };
        const path = `/v1/responses/${id}`;
        found.add((await stand.ask("", { method: "GET", path, headers })).body);
      }
      return [...found].toSorted();
    };
    // The old link is still open: it is replaced.
    const again = await stand.worker("p", says(200, "again"), register);
    assert.deepEqual(await followUps(), ["again"]);
    await again.die();
    await stand.worker("p", says(200, "p"), { session: "another", max_concurrent: 4 });
    await workersWhen(
      relay,
      (workers) => workers.filter(({ models }) => models.includes(stand.model)).length === 3,
    );
    assert.deepEqual(await followUps(), ["p", "q", "r"]);
    await stand.worker("q", says(200, "thief"), { ...register });
    assert.deepEqual(await followUps(), ["p", "q", "r", "thief"]);
  });
}
