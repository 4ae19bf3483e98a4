import { sealed } from "./seal.ts";
import { type Role, SECRETS, type Service, STOP_TIMEOUT_S } from "./service.ts";

/** A worker's unit is a template: `signalbox-worker@attic` is one that is named attic. */
export const UNIT_FILES: Readonly<Record<Role, string>> = {
  serve: "signalbox.service",
  worker: "signalbox-worker@.service",
};

/** The unit of a service, as a file. `%E` is /etc, or for a user's service ~/.config. */
export function systemdUnit(service: Service): string {
  const { role, scope } = service;
  const text = [
    "# Changes belong into a drop-in, which survives updates of this file:",
    `#   systemctl ${scope === "user" ? "--user " : ""}edit ${UNIT_FILES[role].replace("@.service", "@NAME").replace(".service", "")}`,
    ...section("Unit", [
      `Description=${role === "serve" ? "Signalbox relay" : "Signalbox worker %i"}`,
      // A user's manager knows nothing of the network.
      ...(scope === "system" ? ["Wants=network-online.target", "After=network-online.target"] : []),
      "StartLimitIntervalSec=0",
    ]),
    ...section("Service", [...running(service), "", ...(scope === "system" ? SANDBOX : USER_SANDBOX)]),
    ...section("Install", [`WantedBy=${scope === "system" ? "multi-user.target" : "default.target"}`]),
    "",
  ].join("\n");
  return sealed(text);
}

function section(name: string, lines: readonly string[]): string[] {
  return ["", `[${name}]`, ...lines];
}

function running({ role, program }: Service): string[] {
  const settings = role === "serve" ? "serve.env" : "worker-%i.env";
  return [
    "Type=notify",
    "# systemd-notify speaks for the program, as its child.",
    "NotifyAccess=all",
    "WatchdogSec=60s",
    "# It could say nothing of where it hangs.",
    "WatchdogSignal=SIGKILL",
    `ExecStart=${[...program, role].map((word, at) => systemdWord(word, at === 0)).join(" ")}`,
    ...(role === "worker" ? ["Environment=WORKER_NAME=%i"] : []),
    `EnvironmentFile=%E/signalbox/${settings}`,
    ...SECRETS[role].map((name) => `LoadCredential=${name}:%E/signalbox/${name}`),
    "Restart=always",
    "RestartSec=2s",
    "# Wrong settings: trying again does not mend them.",
    "RestartPreventExitStatus=2",
    "KillMode=mixed",
    "# A longer --drain-timeout is granted when the program asks for it.",
    `TimeoutStopSec=${STOP_TIMEOUT_S}s`,
    "# Each client and each worker is an open file.",
    "LimitNOFILE=524288",
  ];
}

/** What a filter of system calls gives, which needs no privilege. */
const USER_SANDBOX = [
  "LockPersonality=yes",
  "NoNewPrivileges=yes",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "SystemCallArchitectures=native",
  "SystemCallErrorNumber=EPERM",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged @resources",
  "UMask=0077",
];

/** A user of its own who owns nothing, on a machine that it can read and not change. */
const SANDBOX = [
  "# No MemoryDenyWriteExecute: a program that cannot compile itself while it runs is twenty times as slow.",
  "CapabilityBoundingSet=",
  "DevicePolicy=closed",
  "DynamicUser=yes",
  "PrivateDevices=yes",
  "PrivateMounts=yes",
  "PrivateTmp=yes",
  "PrivateUsers=yes",
  "ProcSubset=pid",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHome=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "ProtectSystem=strict",
  "RemoveIPC=yes",
  ...USER_SANDBOX,
];

/** A word of `ExecStart=`, of which the first takes no variables. See systemd.service(5), "Command lines". */
function systemdWord(word: string, isExecutable: boolean): string {
  const literal = word.replaceAll("%", "%%").replaceAll("$", isExecutable ? "$" : "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(literal) ? literal : `"${literal.replace(/["\\]/g, "\\$&")}"`;
}
