import { getCACertificates } from "node:tls";

/** What is passed on to trust `caPem` too: `ca` replaces the authorities that are trusted by default, so they go along. */
export function trustToo(caPem: string[] | undefined): { ca?: string[] } {
  return caPem ? { ca: [...getCACertificates("default"), ...caPem] } : {};
}
