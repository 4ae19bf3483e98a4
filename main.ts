import process from "node:process";
import { setTimeout } from "node:timers";
import { overrideCommands } from "./server/override/override_commands.ts";
import { type Command, type CommandIo, openCommand, type Roles } from "./shared/command_line/command.ts";
import { completionsCommand } from "./shared/command_line/completions/completions_command.ts";
import { configCommands } from "./shared/command_line/config_commands.ts";
import { doctorCommand } from "./shared/command_line/doctor.ts";
import { processIo } from "./shared/command_line/process_io.ts";
import { type Program, runProgram } from "./shared/command_line/run.ts";
import { withLog } from "./shared/command_line/with_log.ts";
import { ROLES } from "./shared/service/service.ts";
import type { DemoSettings } from "./worker/demo/settings.ts";

const SERVICE_ROLES: Roles = { names: ROLES, optional: true };

/** Subcommand → settings → run → exit code. A command's code is loaded when it is asked for. */
const commands: readonly Command[] = [
  {
    name: "serve",
    says: "Run the relay that clients and workers connect to",
    open: async () =>
      openCommand({
        schema: (await import("./server/settings.ts")).serveSettings,
        example: "signalbox serve --listen 0.0.0.0:8080 --worker-secret-file secret.txt",
        retired: { "database-url": "API keys live in a file, see --api-keys-file" },
        run: (settings, io) =>
          withLog(settings, io, async () => (await import("./server/serve.ts")).serve(settings, io)),
      }),
  },
  {
    name: "worker",
    says: "Dial out to a relay and forward its requests to a backend",
    open: async () =>
      openCommand({
        schema: (await import("./worker/settings.ts")).workerSettings,
        example:
          "signalbox worker --proxy-url https://relay.example.com \\\n" +
          "  --worker-secret-file secret.txt --backend-url http://127.0.0.1:11434",
        modelRelayFile: true,
        run: async (settings, io) =>
          (await import("./worker/status/with_status.ts")).withStatus(settings, io, (above, status) =>
            withLog(settings, above, async () =>
              (await import("./worker/worker.ts")).worker(settings, above, status),
            ),
          ),
      }),
  },
  {
    name: "demo",
    says: "Try it: relay, worker and a demo backend in one process",
    open: async () =>
      openCommand({
        schema: (await import("./worker/demo/settings.ts")).demoSettings,
        example: "signalbox demo",
        run: (settings, io) => withLog(settings, io, () => runDemo(settings, io)),
      }),
  },
  {
    name: "route-test",
    says: "Tell where a request would go, and why, without sending it",
    open: async () => {
      const [{ routeTestSettings }, { ROUTE_TEST_EXAMPLE, ROUTE_TEST_NOTES }] = await Promise.all([
        import("./server/route_test/settings.ts"),
        import("./server/route_test/help.ts"),
      ]);
      return openCommand({
        schema: routeTestSettings,
        operands: { names: ["METHOD", "PATH"], optional: true },
        example: ROUTE_TEST_EXAMPLE,
        notes: ROUTE_TEST_NOTES,
        run: async (settings, io, { operands }) =>
          (await import("./server/route_test/route_test.ts")).routeTest(settings, io, operands),
      });
    },
  },
  {
    name: "keys hash",
    says: "Print the entry of --api-keys-file for an API key",
    open: async () => {
      const { keysHash, keysHashSettings } = await import("./server/keys/hash.ts");
      return openCommand({
        schema: keysHashSettings,
        example: "signalbox keys hash --generate --name alice >> keys.toml",
        run: keysHash,
      });
    },
  },
  {
    name: "service install",
    says: "Have this machine run serve or worker: systemd, launchd",
    roles: SERVICE_ROLES,
    open: async (role) =>
      openCommand({
        schema: (await import("./shared/service/settings.ts")).serviceInstallSettings,
        example: "sudo signalbox service install serve --start",
        run: async (settings, io) =>
          (await import("./shared/service/commands.ts")).serviceInstall(role, settings, io),
      }),
  },
  {
    name: "service uninstall",
    says: "Stop such a service and remove its files",
    roles: SERVICE_ROLES,
    open: async (role) =>
      openCommand({
        schema: (await import("./shared/service/settings.ts")).serviceUninstallSettings,
        example: "sudo signalbox service uninstall serve",
        run: async (settings, io) =>
          (await import("./shared/service/commands.ts")).serviceUninstall(role, settings, io),
      }),
  },
  {
    name: "service print",
    says: "Print the systemd unit or launch agent of such a service",
    roles: SERVICE_ROLES,
    open: async (role) =>
      openCommand({
        schema: (await import("./shared/service/settings.ts")).servicePrintSettings,
        example: "signalbox service print worker --user",
        run: async (settings, io) =>
          (await import("./shared/service/commands.ts")).servicePrint(role, settings, io),
      }),
  },
];

/** The only command that needs both halves, which know nothing of each other. */
async function runDemo(settings: DemoSettings, io: CommandIo): Promise<number> {
  const [{ demo }, { serve }, { serveSettings }] = await Promise.all([
    import("./worker/demo/demo.ts"),
    import("./server/serve.ts"),
    import("./server/settings.ts"),
  ]);
  const { listen: _, ...process } = settings;
  return demo(settings, io, (relay, running) =>
    serve({ ...serveSettings.parse({}), ...process, ...relay }, io, running),
  );
}

/** Commands about others. */
const [serveCommand, workerCommand] = ROLES.map((role) => commands.find(({ name }) => name === role)!) as [
  Command,
  Command,
];
const commandsAboutThem: readonly Command[] = [
  doctorCommand([
    {
      command: serveCommand,
      examine: async () => (await import("./server/commands/doctor.ts")).examineRelay,
    },
    {
      command: workerCommand,
      examine: async () => (await import("./worker/commands/doctor.ts")).examineWorker,
    },
  ]),
  ...configCommands([serveCommand, workerCommand]),
  ...overrideCommands(serveCommand),
  completionsCommand(() => program),
];

/** In the executable, as on a machine that has the sources. */
const manual: Command = {
  name: "docs",
  says: "Print a page of the manual, or what an error code means",
  open: async () => (await import("./shared/manual/docs_command.ts")).openDocs,
};

export const program: Program = {
  name: "signalbox",
  says: "One endpoint for GPUs that the internet cannot reach",
  version: async () => (await import("./shared/version_line.ts")).versionLine(),
  commands: [...commands, ...commandsAboutThem, manual],
};

/** A command that is done has closed what it opened; a peer that does not answer must not keep the process. */
const LAST_SOCKETS_MS = 500;

if (import.meta.main) {
  const io = processIo();
  process.exitCode = await runProgram(program, process.argv.slice(2), io);
  const unprinted = await io.printed();
  if (unprinted) {
    io.err(`signalbox: error: Cannot print: ${unprinted.message}\n`);
    process.exitCode ||= 1;
  }
  setTimeout(() => process.exit(), LAST_SOCKETS_MS).unref();
}
