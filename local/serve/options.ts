/** How the provider on one machine is started. */
export interface ServeOptions {
  readonly host: string;
  /** 0: any free port, here and below. */
  readonly signalPort: number;
  readonly dataPort: number;
  readonly adminPort: number;
  readonly adminHost: string;
  /** Make the two customers to try things with. */
  readonly demo: boolean;
  readonly json: boolean;
}
