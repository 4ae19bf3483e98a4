import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { locate, PROJECT_FILES, read } from "../architecture/source_tree.ts";
import { python } from "../support/python.ts";
import { ScratchFolder } from "../support/scratch_folder.ts";
import { parseYaml } from "../support/yaml.ts";

/** What other projects' checkers think of the files that only other machines run: GitHub's, Docker's, Kubernetes'. */

const LIMIT = { timeout: 60_000 };

const workflows = PROJECT_FILES.filter((path) => path.startsWith(".github/workflows/"));
const scripts = PROJECT_FILES.filter((path) => /^#!\/.*\b(ba)?sh$/m.test(read(path).split("\n", 1)[0]!));

interface Check {
  readonly finds: string;
  readonly tool: string;
  readonly args: readonly string[];
  readonly files: readonly string[];
  /** Makes a mistake, which is to be found: else the checker may not have looked at all. */
  spoil(text: string): string;
}

const CHECKS: readonly Check[] = [
  {
    finds: "a workflow that GitHub would not take",
    tool: "check-jsonschema",
    args: ["--builtin-schema", "vendor.github-workflows"],
    files: workflows,
    spoil: (text) => text.replace("runs-on:", "run-on:"),
  },
  {
    finds:
      "a workflow that lets strangers in, such as one with actions by a name that can be given to other code",
    tool: "zizmor",
    args: ["--offline", "--no-config", "--no-progress"],
    files: workflows,
    spoil: (text) => text.replace(/(actions\/checkout)@\S+ # (\S+)/, "$1@$2"),
  },
  {
    finds: "a mistake in a Dockerfile",
    tool: "hadolint",
    args: [],
    files: ["deploy/docker/Dockerfile"],
    spoil: (text) => text.replace("WORKDIR /src", "WORKDIR src"),
  },
  {
    finds: "a compose file that Docker would not take",
    tool: "check-jsonschema",
    args: ["--builtin-schema", "vendor.compose-spec"],
    files: ["deploy/docker/compose.yaml"],
    spoil: (text) => text.replace("cap_drop:", "drop_caps:"),
  },
  {
    finds: "a manifest that Kubernetes would not take",
    tool: "kubernetes-validate",
    args: ["--strict"],
    files: ["deploy/kubernetes/signalbox.yaml"],
    spoil: (text) => text.replace("runAsNonRoot:", "runAsNobody:"),
  },
  {
    finds: "a mistake in a script",
    tool: "shellcheck",
    args: [],
    files: scripts,
    spoil: (text) => `${text}rm -r $HOME/$nobody\n`,
  },
];

for (const { finds, tool, args, files, spoil } of CHECKS) {
  test(`${tool} finds: ${finds}`, { ...LIMIT, skip: python.lacks(tool) }, () => {
    assert.ok(files.length > 0);
    using folder = new ScratchFolder();
    for (const file of files) {
      const { status, stdout, stderr } = python.tool(tool, [...args, locate(file)]);
      assert.equal(status, 0, `${file}: ${stdout}${stderr}`);
      const spoilt = spoil(read(file));
      assert.notEqual(spoilt, read(file), file);
      assert.notEqual(python.tool(tool, [...args, folder.write(basename(file), spoilt)]).status, 0, file);
    }
  });
}

interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, { permissions?: Record<string, string>; steps: { run?: string; uses?: string }[] }>;
}

test("shellcheck finds no mistake in the steps of a workflow", {
  ...LIMIT,
  skip: python.lacks("shellcheck"),
}, () => {
  const steps = workflows.flatMap((path) => {
    const { jobs } = parseYaml(read(path)) as Workflow;
    return Object.values(jobs).flatMap((job) => job.steps.flatMap(({ run }) => run ?? []));
  });
  assert.ok(steps.length > 5);
  for (const step of steps) {
    // GitHub fills these in before a shell sees them.
    const input = step.replace(/\$\{\{.*?\}\}/g, "filled-in");
    const { status, stdout } = python.tool("shellcheck", ["--shell=bash", "-"], { input });
    assert.equal(status, 0, stdout);
  }
});

test("a workflow may read, and nothing else but the job that publishes", () => {
  const writing: string[] = [];
  for (const path of workflows) {
    const { permissions, jobs } = parseYaml(read(path)) as Workflow;
    assert.deepEqual(permissions, { contents: "read" }, path);
    for (const [name, job] of Object.entries(jobs)) if (job.permissions) writing.push(`${path}: ${name}`);
  }
  assert.deepEqual(writing, [".github/workflows/release.yml: publish"]);
});
