import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

export interface Nginx {
  url: string;
  /** Its worker process. */
  pids: number[];
  stop(): void;
}

/**
 * nginx in front of a backend, one worker process. `tuned`: connections to the backend are kept; without it nginx
 * opens one for each request, which is what `proxy_pass` alone does.
 */
export async function startNginx(backendUrl: string, tuned: boolean): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-nginx-"));
  const port = await freePort();
  const kept = tuned ? 'proxy_http_version 1.1; proxy_set_header Connection "";' : "";
  writeFileSync(
    join(folder, "nginx.conf"),
    `worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log; daemon off;
    events { worker_connections 4096; }
    http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}/b;
      proxy_temp_path ${folder}/p; client_max_body_size 0;
      upstream b { server ${new URL(backendUrl).host}; ${tuned ? "keepalive 64;" : ""} }
      server { listen 127.0.0.1:${port}; location / { proxy_pass http://b; proxy_buffering off;
        proxy_request_buffering off; ${kept} } } }`,
  );
  const child = spawn("nginx", ["-c", join(folder, "nginx.conf"), "-p", folder], { stdio: "ignore" });
  process.on("exit", () => child.kill("SIGTERM"));
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/unary`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null)
      throw new Error(`nginx ended with ${child.exitCode}: see ${folder}/error.log`);
  }
  const children = execFileSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" });
  return {
    url,
    pids: children.trim().split("\n").map(Number),
    stop() {
      child.kill("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
