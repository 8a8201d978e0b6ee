import { TidegateError } from '@tidegate/core';

/** Properties of Node's system errors and of its SQLite errors. */
interface SystemError extends Error {
  readonly code?: string;
  readonly syscall?: string;
  readonly path?: string;
  readonly address?: string;
  readonly port?: number;
  /** Result code of SQLite. */
  readonly errcode?: number;
}

/**
 * Explains in one sentence why a process cannot start and what an operator can do about it; undefined for a failure that
 * is not the operator's to mend.
 */
export function explainFailure(error: unknown): string | undefined {
  if (error instanceof TidegateError && error.code === 'CONFIG_INVALID') return error.message;
  for (const each of chainOf(error)) {
    const explained = each.errcode === undefined ? explainSystem(each) : explainSqlite(each.errcode);
    if (explained !== undefined) return explained;
  }
  return undefined;
}

function explainSystem({ code, syscall, path, address, port }: SystemError): string | undefined {
  if (syscall === 'listen' || syscall === 'getaddrinfo') return explainListen(code, `${address}:${port}`);
  const at = path === undefined ? '' : `: ${path}`;
  switch (code) {
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open; raise the limit, such as with `ulimit -n 4096`';
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk is full${at}`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return path === undefined ? undefined : `this user may not use a file or folder${at}`;
    case 'ENOTDIR':
    case 'EEXIST':
      return syscall === 'mkdir' ? `there is a file in the place of a folder${at}` : undefined;
    default:
      return undefined;
  }
}

function explainListen(code: string | undefined, at: string): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `${at} is in use by another process; stop it, or set PORT to another port (0 picks a free one)`;
    case 'EACCES':
      return `this user may not listen at ${at}; set PORT to one above 1023`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'HOST is no address of this machine; set it to one, such as 127.0.0.1 or 0.0.0.0';
    default:
      return undefined;
  }
}

/** The low byte is the primary result code (https://sqlite.org/rescode.html). */
function explainSqlite(errcode: number): string | undefined {
  switch (errcode & 0xff) {
    case 8:
      return 'a database file cannot be written by this user';
    case 10:
      return 'a database file cannot be read or written; the disk is full or broken';
    case 11:
      return 'a database file is damaged; restore it from a backup, or move it away';
    case 13:
      return 'the disk is full';
    case 14:
      return 'a database file cannot be opened; check the rights of its folder and the limit of open files (`ulimit -n`)';
    case 26:
      return 'a file in the place of a database is none; move it away';
    default:
      return undefined;
  }
}

/** The error and its causes, from the outermost to the innermost. */
function* chainOf(error: unknown): Generator<SystemError> {
  for (let each = error; each instanceof Error; each = each.cause) {
    yield each;
    if (each instanceof AggregateError) for (const one of each.errors) yield* chainOf(one);
  }
}
