// https://docs.deno.com/runtime/fundamentals/ffi/
import { Deno } from "./deno_api.ts";
import { KernelBuffers, type SocketOptions } from "./kernel_buffers.ts";

/** Without `--allow-ffi` Deno would ask whoever sits at the terminal. */
function open(library: string): SocketOptions {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") throw new Error("needs --allow-ffi");
  return Deno.dlopen(library, {
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
    setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  }).symbols as SocketOptions;
}

export const kernelBuffers = new KernelBuffers(open);
