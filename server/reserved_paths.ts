import { RelayFailure } from "../shared/failures.ts";

/** Whom a reserved path is for. `client`: whoever may send requests; `admin`: who has the admin token. */
export type Credential = "none" | "client" | "admin";

export interface ReservedPath {
  /** Exact, or everything below it when it ends in `/`. */
  path: string;
  methods: readonly string[];
  credential: Credential;
}

const READ = ["GET", "HEAD"];

/** What the relay answers itself. Everything else is relayed; nothing of this ever is. */
const RESERVED_PATHS: readonly ReservedPath[] = [
  { path: "/health", methods: READ, credential: "none" },
  { path: "/v1/models", methods: READ, credential: "client" },
  { path: "/v1/models/", methods: READ, credential: "client" },
  { path: "/admin/workers", methods: READ, credential: "admin" },
  { path: "/admin/stats", methods: READ, credential: "admin" },
  { path: "/admin/route-test", methods: ["POST"], credential: "admin" },
  // These look for themselves who comes: the page is there for who has yet to sign in.
  { path: "/dashboard", methods: READ, credential: "none" },
  { path: "/dashboard/sign-in", methods: ["POST"], credential: "none" },
  { path: "/dashboard/sign-out", methods: ["POST"], credential: "none" },
];

const EXACT = new Map(RESERVED_PATHS.map((entry) => [entry.path, entry]));
const BELOW = RESERVED_PATHS.filter(({ path }) => path.endsWith("/"));

/** Kept for the relay though nothing is there yet: a backend must not appear under these. */
const RESERVED_PREFIXES = ["/admin/", "/v1/worker/", "/dashboard/"];
const RESERVED_NAMES = new Set(["/admin", "/v1/worker", "/metrics"]);

/**
 * The reserved path that `path` is, or undefined when it is to be relayed.
 * @throws RelayFailure `not_found` or `method_not_allowed`, instead of relaying it
 */
export function reservedPath(path: string, method: string): ReservedPath | undefined {
  const entry = EXACT.get(path) ?? BELOW.find((candidate) => path.startsWith(candidate.path));
  if (entry) {
    if (entry.methods.includes(method)) return entry;
    throw new RelayFailure("method_not_allowed", { headers: { allow: entry.methods.join(", ") } });
  }
  if (RESERVED_NAMES.has(path) || RESERVED_PREFIXES.some((prefix) => path.startsWith(prefix))) {
    throw new RelayFailure("not_found");
  }
  return undefined;
}
