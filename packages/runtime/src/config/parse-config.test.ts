import { TidegateError } from '@tidegate/core';
import { describe, expect, it } from 'vitest';
import { flag, hostPorts, integer, port, secret, text, url } from './fields.ts';
import { parseConfig } from './parse-config.ts';

function problemsOf(run: () => unknown): TidegateError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TidegateError);
    return error as TidegateError;
  }
  throw new Error('it was accepted');
}

describe('parseConfig', () => {
  it('returns typed values, and no variable outside the shape', () => {
    const shape = { PORT: port(), DEMO: flag('demo traffic'), BROKERS: hostPorts('Kafka') };
    const env = { PORT: '4000', DEMO: 'off', BROKERS: 'a:1,b:2', HOME: '/root' };
    expect(parseConfig(shape, env)).toEqual({ PORT: 4000, DEMO: false, BROKERS: ['a:1', 'b:2'] });
  });

  it('names every missing or malformed variable and its expected value in one error', () => {
    const shape = {
      PORT: port(),
      DATABASE_URL: url(['postgres'], 'where Postgres is'),
      NAME: text('a name'),
    };
    const error = problemsOf(() => parseConfig(shape, { PORT: '70000', NAME: 'n' }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.details).toEqual({ variables: ['PORT', 'DATABASE_URL'] });
    expect(error.message.split('\n')).toEqual([
      'PORT is "70000"; it expects a TCP port (0 picks a free one): a whole number from 0 to 65535',
      'DATABASE_URL is not set; it expects where Postgres is: a URL such as postgres://127.0.0.1:1234',
    ]);
  });

  it('treats an empty variable as not set', () => {
    expect(problemsOf(() => parseConfig({ PORT: port() }, { PORT: '' })).message).toContain(
      'PORT is not set',
    );
    expect(parseConfig({ PORT: port().default(1) }, { PORT: '' })).toEqual({ PORT: 1 });
  });

  it('names the expected value of an optional variable too', () => {
    const shape = { A: integer(1, 3, 'a small thing').default(2), B: url(['http'], 'a place').optional() };
    expect(parseConfig(shape, {})).toEqual({ A: 2 });
    expect(problemsOf(() => parseConfig(shape, { A: '9', B: 'x' })).message).toBe(
      'A is "9"; it expects a small thing: a whole number from 1 to 3\n' +
        'B is "x"; it expects a place: a URL such as http://127.0.0.1:1234',
    );
  });

  it('hides secrets, and credentials in URLs', () => {
    const shape = { JWT_SECRET: secret('signs tokens'), REDIS_URL: url(['redis'], 'where Redis is') };
    const { message } = problemsOf(() =>
      parseConfig(shape, { JWT_SECRET: 'hunter2', REDIS_URL: 'http://me:hunter2@host' }),
    );
    expect(message).not.toContain('hunter2');
    expect(message).toContain(
      'JWT_SECRET is "(7 characters, not shown)"; it expects signs tokens: a secret of at least 32',
    );
    expect(message).toContain('REDIS_URL is "http://***@host"');
  });
});
