/** What is to run as a service, and for whom. */
export interface Service {
  readonly role: Role;
  /** For the whole machine, started with it; or for one user, started with that user's session. */
  readonly scope: "system" | "user";
  /** The program and the words that come before a subcommand: absolute paths. */
  readonly program: readonly string[];
}

export const ROLES = ["serve", "worker"] as const;
export type Role = (typeof ROLES)[number];

/** What keeps services running: systemd on Linux, launchd on macOS. */
export const MANAGERS = ["systemd", "launchd"] as const;
export type Manager = (typeof MANAGERS)[number];

/** Secrets of a role, each a file of this name in the folder of settings. The relay's can be made up. */
export const SECRETS: Readonly<Record<Role, readonly string[]>> = {
  serve: ["worker-secret", "admin-token"],
  worker: ["worker-secret"],
};

/** What a stop may take: the default of `--drain-timeout`, and some for saying goodbye. */
export const STOP_TIMEOUT_S = 35;
