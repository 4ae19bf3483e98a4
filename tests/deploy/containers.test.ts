import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { STOP_TIMEOUT_S } from "../../shared/service/service.ts";
import { locate, read } from "../architecture/source_tree.ts";
import { runProgram } from "../support/program.ts";
import { ScratchFolder } from "../support/scratch_folder.ts";
import { isInstalled } from "../support/tools.ts";
import { parseYaml } from "../support/yaml.ts";

/** Files of containers agree with the program, and with each other. */

const COMPOSE = "deploy/docker/compose.yaml";
const MANIFEST = "deploy/kubernetes/signalbox.yaml";
/** Of `deploy/docker/assemble.sh` and the Dockerfile. */
const USER = 65532;

interface ComposeService {
  image: string;
  command: [role: string];
  environment: Record<string, string>;
  secrets: string[];
  stop_grace_period: string;
  read_only: boolean;
  cap_drop: string[];
}

const compose = parseYaml(read(COMPOSE)) as {
  services: Record<string, ComposeService>;
  secrets: Record<string, { file: string }>;
};

test("compose: each service starts with its settings, whose secrets are there", async () => {
  assert.deepEqual(Object.keys(compose.services), ["relay", "worker"]);
  for (const { command, environment, secrets, ...service } of Object.values(compose.services)) {
    assert.equal(service.stop_grace_period, `${STOP_TIMEOUT_S}s`);
    assert.deepEqual([service.read_only, service.cap_drop], [true, ["ALL"]]);
    for (const name of secrets) assert.ok(compose.secrets[name], name);
    const named = Object.values(environment).filter((value) => value.startsWith("/run/secrets/"));
    assert.deepEqual(named.map((path) => path.slice("/run/secrets/".length)).sort(), [...secrets].sort());
    await startsWith(command[0], environment, /^\/run\/secrets\//);
  }
});

const composing = ["docker-compose"].find(isInstalled);
test("compose: the tool reads it", { skip: composing ? undefined : "needs docker-compose" }, () => {
  const { status, stderr } = spawnSync(composing!, ["-f", locate(COMPOSE), "config", "--quiet"], {
    encoding: "utf8",
  });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
});

test("the Dockerfile's image is of a user without rights, who the files of the image know", () => {
  const dockerfile = read("deploy/docker/Dockerfile");
  assert.match(dockerfile, new RegExp(`^USER ${USER}:${USER}$`, "m"));
  assert.match(read("deploy/docker/assemble.sh"), new RegExp(`signalbox:x:${USER}:${USER}:`));
  for (const [, path] of dockerfile.matchAll(/(deploy\/\S+\.sh)/g)) assert.ok(read(path!));
});

interface Probe {
  httpGet: { path: string; port: string };
}
interface Container {
  args: [role: string];
  env: { name: string; value: string }[];
  ports: { name: string; containerPort: number }[];
  readinessProbe: Probe;
  livenessProbe: Probe;
  volumeMounts: { name: string; mountPath: string }[];
}

const [deployment, service] = parseYaml(read(MANIFEST)) as [
  {
    spec: {
      selector: { matchLabels: object };
      template: {
        metadata: { labels: object };
        spec: {
          terminationGracePeriodSeconds: number;
          securityContext: { runAsNonRoot: boolean; runAsUser: number; fsGroup: number };
          containers: [Container & { securityContext: { readOnlyRootFilesystem: boolean } }];
          volumes: { name: string; secret: { secretName: string; defaultMode: number } }[];
        };
      };
    };
  },
  { spec: { selector: object; ports: { targetPort: string }[] } },
];

test("Kubernetes: what refers to each other fits", () => {
  const { selector, template } = deployment.spec;
  const { spec } = template;
  const [container] = spec.containers;
  assert.deepEqual(selector.matchLabels, template.metadata.labels);
  assert.deepEqual(service.spec.selector, template.metadata.labels);
  assert.equal(container.ports[0]!.name, service.spec.ports[0]!.targetPort);
  for (const { httpGet } of [container.readinessProbe, container.livenessProbe])
    assert.deepEqual(httpGet, { path: "/health", port: container.ports[0]!.name });
  assert.equal(spec.terminationGracePeriodSeconds, STOP_TIMEOUT_S);
  const { runAsNonRoot, runAsUser, fsGroup } = spec.securityContext;
  assert.deepEqual([runAsNonRoot, runAsUser, fsGroup], [true, USER, USER]);
  assert.ok(container.securityContext.readOnlyRootFilesystem);
  assert.deepEqual(
    container.volumeMounts.map(({ name }) => name),
    spec.volumes.map(({ name }) => name),
  );
});

test("Kubernetes: the relay starts with its settings", async () => {
  const [{ args, env, ports, volumeMounts }] = deployment.spec.template.spec.containers;
  const settings = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  assert.ok(settings.SIGNALBOX_LISTEN!.endsWith(`:${ports[0]!.containerPort}`));
  await startsWith(args[0], settings, new RegExp(`^${volumeMounts[0]!.mountPath}/`));
});

/** Its settings can be read, with files that are there in place of those in `mounted`. */
async function startsWith(role: string, env: Record<string, string>, mounted: RegExp): Promise<void> {
  using folder = new ScratchFolder();
  const file = folder.write("secret", "a secret of the tests\n");
  const here = Object.entries(env).map(([name, value]) => [name, mounted.test(value) ? file : value]);
  assert.ok(here.some(([, value]) => value === file));
  const { exitCode, stdout, stderr } = await runProgram([role, "--print-settings"], {
    env: Object.fromEntries(here),
  });
  assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
  for (const name of Object.keys(env)) assert.ok(stdout.includes(` # ${name}`), name);
}
