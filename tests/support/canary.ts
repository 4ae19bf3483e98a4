import net from "node:net";

/** Where nobody may ever connect: it listens on loopback and counts who does. */
export class Canary implements AsyncDisposable {
  /** Of loopback too, but no other program's: on a machine's usual ports somebody may knock who means nobody here. */
  static readonly ADDRESS = "127.77.77.77";
  connections = 0;
  readonly #servers: net.Server[] = [];

  /** On one free port of each address of loopback, and on those of `ports` that the machine lets a test have. */
  static async start(ports: readonly number[] = []): Promise<Canary> {
    const canary = new Canary();
    if (!(await canary.#listen(0, "127.0.0.1"))) throw new Error("Cannot listen on 127.0.0.1");
    for (const port of [canary.port, ...ports]) await canary.#listen(port, Canary.ADDRESS);
    await canary.#listen(canary.port, "::1");
    return canary;
  }

  get port(): number {
    return (this.#servers[0]!.address() as net.AddressInfo).port;
  }

  /** False where it is not possible: the port is another's, or the machine has no such address. */
  async #listen(port: number, host: string): Promise<boolean> {
    const server = net.createServer((socket) => {
      this.connections++;
      socket.destroy();
    });
    const listens = await new Promise<boolean>((resolve) => {
      server.on("error", () => resolve(false)).listen(port, host, () => resolve(true));
    });
    if (listens) this.#servers.push(server);
    return listens;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
