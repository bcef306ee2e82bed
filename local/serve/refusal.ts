/** Why a start has failed, told to the operator. */
import { OperatorError } from '../operator-error.ts';

/** What the system refuses because of how it was asked, as something the operator can act on; anything else as it is. */
export function asRefusal(error: unknown): unknown {
  const { code, address, port, message } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  const where = address === undefined || port === undefined ? message : `${address}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new OperatorError(`${where} is taken; choose another port, or 0 for any free one`);
    case 'EADDRNOTAVAIL':
      return new OperatorError(`${where} is not an address of this machine`);
    case 'EACCES':
      return new OperatorError(`${where} may not be used by this user; ports below 1024 need root`);
    default:
      return error;
  }
}
