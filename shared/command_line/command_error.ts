/**
 * What was asked for cannot be done as asked: printed as one `error:` and one `hint:` line, exit code 2.
 * `message` says what was attempted, what was wanted and what was found; `hint` what to do, in lower case and
 * without a full stop.
 */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(
    message: string,
    readonly hint?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
