import lockfile from "../../package-lock.json" with { type: "json" };

/** A package of npm, as it is installed. */
export interface Package {
  /** From the root: `node_modules/a`, or `node_modules/a/node_modules/b`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
}

/** The packages that these source files are of, by their names. */
export function packagesOf(inputs: readonly string[]): Package[] {
  // The folder may be a link: then it is somewhere else.
  const paths = inputs.flatMap(
    (input) => /(?:^|\/)(node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? [],
  );
  return [...new Set(paths)].map(installed).sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** @throws Error when the lockfile has none at that path */
export function installed(path: string): Package {
  const packages: Record<string, { version?: string }> = lockfile.packages;
  const version = packages[path]?.version;
  if (version === undefined) throw new Error(`Cannot list packages: the lockfile has no ${path}`);
  return { path, name: path.split("node_modules/").at(-1)!, version };
}
