import process from "node:process";

/**
 * The systems that a release is built for, as its files are named. On x64 Bun has one executable for old and new
 * processors: its packages ending in `-baseline` hold the same bytes.
 */
export const TARGETS = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "windows-x64",
  "windows-arm64",
] as const;

export type Target = (typeof TARGETS)[number];

/** The file of a release for one of them. */
export function fileName(version: string, target: Target): string {
  return `signalbox-${version}-${target}${target.startsWith("windows") ? ".exe" : ""}`;
}

/** The npm package that has Bun's executable for it. */
export function bunPackage(target: Target): string {
  return `@oven/bun-${target.replace("arm64", "aarch64")}`;
}

/** The one that this process runs on, when it is among them. */
export function nativeTarget(): Target | undefined {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `${system}-${process.arch}${system === "linux" && !hasGlibc() ? "-musl" : ""}`;
  return TARGETS.find((target) => target === name);
}

function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}
