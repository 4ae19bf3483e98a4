/** A page of the manual. */
export interface Page<Name extends string = PageName> {
  /** As it is asked for. */
  readonly name: Name;
  /** What is in it, without a full stop; with a long name before it, it fits 80 columns. */
  readonly says: string;
  /** By its path in the project. */
  readonly file: string;
}

/** Every page under what it is for, in the order of `docs/README.md`. */
export const GROUPS = [
  [
    "To begin with",
    page("readme", "What Signalbox is, a first answer", "README.md"),
    page("manual", "What to read for what", "docs/README.md"),
  ],
  [
    "To run it",
    page("install", "Installing a relay, a worker, a service"),
    page("tls", "Putting TLS on it"),
    page("reverse-proxy", "Putting nginx or Caddy in front"),
    page("deploy", "Under systemd, launchd, Docker, Kubernetes"),
    page("dashboard", "Watching a relay in a browser"),
    page("security", "Who can do what"),
    page("upgrading-from-modelrelay", "Replacing ModelRelay"),
    page("modelrelay", "Each contract of ModelRelay, and what became of it"),
    page("troubleshooting", "Finding out what is wrong"),
  ],
  [
    "To look up",
    page("settings", "Every setting: flag, variable, key of the file"),
    page("command-line", "Every command, exit codes"),
    page("failures", "Every error code"),
    page("routing", "What clients may ask of routing, and who gets it"),
    page("override", "Requests that name their own endpoint"),
    page("route-test", "Where a request would go, and why"),
    page("scenarios", "Files of a fleet, a request and what is expected"),
    page("protocol", "The link between relay and worker, byte by byte"),
    page("runtimes", "What differs between Bun and Deno"),
    page("changelog", "What changed from version to version", "CHANGELOG.md"),
    page("license", "What may be done with Signalbox", "LICENSE"),
  ],
] as const satisfies readonly (readonly [heading: string, ...pages: Page<string>[]])[];

export const PAGES: readonly Page[] = GROUPS.flatMap(([_, ...pages]): readonly Page[] => pages);

export type PageName = Exclude<(typeof GROUPS)[number][number], string>["name"];

function page<const Name extends string>(name: Name, says: string, file = `docs/${name}.md`): Page<Name> {
  return { name, says, file };
}
