// https://bun.com/docs/runtime/ffi
import { KernelBuffers, type SocketOptions } from "./kernel_buffers.ts";

/** What `bun:ffi` gives, which Deno could not import. */
interface Ffi {
  dlopen(library: string, symbols: Record<string, object>): { symbols: unknown };
}

const open = (library: string) =>
  (Bun as unknown as { FFI: Ffi }).FFI.dlopen(library, {
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
    setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  }).symbols as SocketOptions;

export const kernelBuffers = new KernelBuffers(open);
