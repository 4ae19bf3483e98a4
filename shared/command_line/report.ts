import { printable } from "../printable.ts";
import { PortInUse } from "../runtime/ports.ts";
import { CommandError } from "./command_error.ts";

/** What someone asked for is wrong. */
const EXIT_WRONG_INPUT = 2;
/** Something else went wrong. */
export const EXIT_FAILED = 1;

/**
 * Tell what kept a command from doing its work, as one `error:` and one `hint:` line, and say with which code to
 * exit. What is not a `CommandError` or an error of the system is a fault of ours: its stack follows.
 */
export function reportAndExitCode(
  error: unknown,
  err: (text: string) => void,
  program = "signalbox",
): number {
  const told = error instanceof CommandError ? error : mistakeOfListening(error);
  if (told) {
    err(mistakeLines(told, program));
    return EXIT_WRONG_INPUT;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  err(
    `${program}: error: ${printable(error instanceof Error ? error.message : stack)}\n` +
      `${program}: hint: this is a fault of ${program}; please report it with these lines\n${stack}\n`,
  );
  return EXIT_FAILED;
}

/** One `error:` and one `hint:` line. */
export function mistakeLines({ message, hint }: CommandError, program = "signalbox"): string {
  const error = `${program}: error: ${printable(message)}\n`;
  return hint === undefined ? error : `${error}${program}: hint: ${printable(hint)}\n`;
}

/** Tell something that does not keep a command from running. */
export function warningLine(text: string, program = "signalbox"): string {
  return `${program}: warning: ${printable(text)}\n`;
}

const PORT_IN_USE = "stop the other program, or choose another port; :0 takes a free one";

/** What listening fails with on both runtimes; what files fail with is told by `readText`. */
const SYSTEM: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  EADDRINUSE: ["the port is in use", PORT_IN_USE],
  EADDRNOTAVAIL: ["this machine does not have that address", "0.0.0.0 listens on all addresses"],
  EACCES: ["permission denied", "ports below 1024 are for privileged users: take a higher one"],
};

/** A name that does not resolve: Bun gives whatever error number came last, of `listen`. */
const NO_ADDRESS = ["the name is no address of this machine", "write an address, such as 127.0.0.1"] as const;

/** What kept from listening, as a mistake of who chose the address; undefined for any other error. */
export function mistakeOfListening(error: unknown): CommandError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof PortInUse) return new CommandError(error.message, PORT_IN_USE, { cause: error });
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  const unresolved = syscall === "listen" || syscall === "getaddrinfo";
  const [what, hint] = SYSTEM[code] ?? (unresolved ? NO_ADDRESS : []);
  return what ? new CommandError(`Cannot listen: ${what}`, hint, { cause: error }) : undefined;
}
