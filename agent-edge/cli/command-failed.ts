/** Refused or failed: the message says what and the fix; the command line prints it on stderr and ends with 1. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  /** What `--json` prints as `{"error": …}`. */
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(message: string, detail: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.detail = { message, ...detail };
  }
}
