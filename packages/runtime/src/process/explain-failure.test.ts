import { TidegateError } from '@tidegate/core';
import { describe, expect, it } from 'vitest';
import { explainFailure } from './explain-failure.ts';
import { requireOpenFiles } from './open-files.ts';

const failure = (properties: object): Error => Object.assign(new Error('inner text'), properties);
const file = { path: '/data/x' };

describe('a failure that an operator can mend', () => {
  it.each<[object, string]>([
    [{ code: 'EADDRINUSE', syscall: 'listen', address: '::', port: 80 }, ':::80 is in use'],
    [{ code: 'EACCES', syscall: 'listen', address: '::', port: 80 }, 'may not listen'],
    [{ code: 'EADDRNOTAVAIL', syscall: 'listen', address: '10.0.0.1', port: 80 }, 'HOST is no address'],
    [{ code: 'ENOTFOUND', syscall: 'getaddrinfo' }, 'HOST is no address'],
    [{ code: 'EMFILE', syscall: 'open', ...file }, 'ulimit -n'],
    [{ code: 'ENOSPC', syscall: 'write' }, 'the disk is full'],
    [{ code: 'EACCES', syscall: 'open', ...file }, '/data/x'],
    [{ code: 'EEXIST', syscall: 'mkdir', ...file }, 'in the place of a folder: /data/x'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 13 }, 'the disk is full'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 4874 }, 'full or broken'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 14 }, 'ulimit -n'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 11 }, 'damaged'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 26 }, 'move it away'],
  ])('is explained, also as a cause: %j', (properties, words) => {
    const cause = failure(properties);
    for (const error of [
      cause,
      new TidegateError('UNAVAILABLE', 'x', { cause }),
      new AggregateError([cause]),
    ])
      expect(explainFailure(error)).toContain(words);
    expect(explainFailure(cause)).not.toContain('inner text');
  });

  it('is a wrong configuration in its own words', () => {
    expect(explainFailure(new TidegateError('CONFIG_INVALID', 'X is wrong'))).toBe('X is wrong');
  });

  it.each([failure({}), failure({ code: 'ECONNREFUSED', syscall: 'connect' }), 'text', undefined])(
    'is no other: %j',
    (error) => expect(explainFailure(error)).toBeUndefined(),
  );
});

describe('the limit of open files', () => {
  it('has to be 256 or more, where there is one', () => {
    expect(() => requireOpenFiles(255)).toThrow('ulimit -n 4096');
    requireOpenFiles(256);
    requireOpenFiles();
  });
});
