// https://docs.kernel.org/networking/ip-sysctl.html (tcp_notsent_lowat), https://man7.org/linux/man-pages/man7/socket.7.html
import { readdirSync } from "node:fs";
import process from "node:process";

/**
 * What an accepted connection may hold in the kernel beside what is on its way. Without a limit that is 4 MB for a
 * client that reads nothing, and when all of them together come near what Linux gives TCP (`tcp_mem`; 500 of them do,
 * with 24 GB), every connection of the machine slows down. The author of the option finds 128 KiB to cost no speed.
 */
export const UNSENT_BYTES = 128 * 1024;

/** A level and an option of it: from Linux's own headers, the same for x64 and arm64. */
type Option = readonly [level: number, name: number];
const SO_RCVBUF: Option = [1, 8];
const SO_ACCEPTCONN: Option = [1, 30];
const TCP_NOTSENT_LOWAT: Option = [6, 25];

/** The C library by the name that glibc gives it, which musl takes for its own too; then by musl's. */
const LIBRARIES = ["libc.so.6", "libc.so"];

/** What is called of the C library. Both return 0 when it is done. */
export interface SocketOptions {
  getsockopt(fd: number, level: number, option: number, value: Int32Array, bytes: Uint32Array): number;
  setsockopt(fd: number, level: number, option: number, value: Int32Array, bytes: number): number;
}

/**
 * How much the kernel keeps of connections. No runtime can set that, so the C library is called. On another system, or
 * where a runtime may not call it, the kernel keeps what it likes: nothing else changes.
 */
export class KernelBuffers {
  readonly #open: (library: string) => SocketOptions;
  /** Null: they cannot be had. Undefined: nobody has wanted them yet; to load them takes 0.2 ms and a megabyte. */
  #loaded: SocketOptions | null | undefined;

  /** `open` gives the functions of the library of that name; it may throw. */
  constructor(open: (library: string) => SocketOptions) {
    this.#open = open;
  }

  get #calls(): SocketOptions | null {
    if (this.#loaded === undefined)
      this.#loaded = (process.platform === "linux" && firstOf(LIBRARIES, this.#open)) || null;
    return this.#loaded;
  }

  /**
   * After a listener was opened. No runtime tells its descriptor, so it is every socket of this process that listens;
   * what they accept inherits the limit. A unix socket has none, and holds little.
   */
  limitUnsent(): void {
    if (!this.#calls) return;
    for (const fd of descriptors()) {
      if (this.#listens(fd)) this.#set(fd, TCP_NOTSENT_LOWAT, UNSENT_BYTES);
    }
  }

  /** What the peer of a connection may send that nobody has read: Linux takes the double to keep it in. */
  limitUnread(fd: number, bytes: number): void {
    this.#set(fd, SO_RCVBUF, bytes);
  }

  #listens(fd: number): boolean {
    const value = new Int32Array(1);
    const failed = this.#calls!.getsockopt(fd, ...SO_ACCEPTCONN, value, Uint32Array.of(4));
    return !failed && value[0] === 1;
  }

  #set(fd: number, option: Option, value: number): void {
    this.#calls?.setsockopt(fd, ...option, Int32Array.of(value), Int32Array.BYTES_PER_ELEMENT);
  }
}

/** Of this process; none where it may not see them: Deno shows `/proc` to who may do everything, a sandbox may lack it. */
function descriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number);
  } catch {
    return [];
  }
}

function firstOf(
  libraries: readonly string[],
  open: (library: string) => SocketOptions,
): SocketOptions | undefined {
  for (const library of libraries) {
    try {
      return open(library);
    } catch {
      // None of that name here, or the runtime may not.
    }
  }
  return undefined;
}
