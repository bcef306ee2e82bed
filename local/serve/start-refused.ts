/** The operator has to change something before the provider can start; the message says what. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}

/** What the system refuses because of how it was asked, as something the operator can act on; anything else as it is. */
export function asRefusal(error: unknown): unknown {
  const { code, address, port, message } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  const where = address === undefined || port === undefined ? message : `${address}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new StartRefused(`${where} is taken; choose another port, or 0 for any free one`);
    case 'EADDRNOTAVAIL':
      return new StartRefused(`${where} is not an address of this machine`);
    case 'EACCES':
      return new StartRefused(`${where} may not be used by this user; ports below 1024 need root`);
    default:
      return error;
  }
}
