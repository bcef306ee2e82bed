/** What the system does not let us do, told to the operator. */
import { describeFailure } from '#adapters/sqlite/database.ts';
import { OperatorError } from './operator-error.ts';

type SystemError = Error &
  Partial<Record<'code' | 'syscall' | 'path' | 'address', string> & Record<'port', number>>;

/** What to do about a file or folder. */
const FIXES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room on it, and try again',
  EDQUOT: 'the quota of this user is used up: make room, and try again',
  EROFS: 'the file system is read-only: name a folder on another one with TOCSIN_HOME',
  EACCES: 'this user may not: give it the right, or name a folder of its own with TOCSIN_HOME',
  EPERM: 'this user may not: give it the right, or name a folder of its own with TOCSIN_HOME',
  ENOENT: 'restore it, or name another folder with TOCSIN_HOME',
  EEXIST: 'a file is where a folder has to be: move it away, or name another folder with TOCSIN_HOME',
  ENOTDIR: 'a file is where a folder has to be: move it away, or name another folder with TOCSIN_HOME',
  EISDIR: 'a folder is where a file has to be: move it away, or name another folder with TOCSIN_HOME',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
};

/** What the system refuses because of how it was asked, as something the operator can act on; anything else as it is. */
export function asRefusal(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code = '', syscall = '', address, port, message } = error as SystemError;
  if (code === 'ERR_SQLITE_ERROR') return new OperatorError(describeFailure(error).message, { cause: error });
  if (address !== undefined || syscall === 'bind' || syscall === 'listen') {
    const where = address === undefined || port === undefined ? message : `${address}:${port}`;
    const fix = LISTENING[code];
    return fix === undefined ? error : new OperatorError(`${where} ${fix}`, { cause: error });
  }
  const fix = syscall === '' ? undefined : FIXES[code];
  return fix === undefined ? error : new OperatorError(`${message}\n${fix}`, { cause: error });
}

/** What to do about an address. */
const LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken; choose another port, or 0 for any free one',
  EADDRNOTAVAIL: 'is not an address of this machine',
  EACCES: 'may not be used by this user; ports below 1024 need root',
};
