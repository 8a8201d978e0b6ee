import { describe, expect, it } from 'vitest';
import { errorCodes, isErrorCode, type ErrorCode } from './codes.ts';
import {
  decodeErrorBody,
  encodeErrorBody,
  TidegateError,
  toldToClient,
  toTidegateError,
} from './tidegate-error.ts';

const FOR_OPERATORS = ['CONFIG_INVALID', 'RECORD_MALFORMED', 'LOG_POSITION_OUT_OF_RANGE'] as const;
const codes = (Object.keys(errorCodes) as ErrorCode[]).filter(
  (code) => !(FOR_OPERATORS as readonly string[]).includes(code),
);

describe('a TidegateError', () => {
  it.each(codes)('%s is equal after encoding and decoding', (code) => {
    const error = new TidegateError(code, 'What happened.', { details: { field: 'a', limits: [1, 2] } });
    const decoded = decodeErrorBody(JSON.parse(JSON.stringify(encodeErrorBody(error))));
    expect(decoded).toBeInstanceOf(TidegateError);
    expect(decoded).toMatchObject({ code, message: 'What happened.', details: error.details });
    expect(decoded?.retryable).toBe(errorCodes[code].retryable);
  });

  it('is encoded without its cause and stack', () => {
    const error = new TidegateError('UNAVAILABLE', 'Away.', { cause: new Error('password is hunter2') });
    expect(JSON.stringify(encodeErrorBody(error))).toBe('{"error":{"code":"UNAVAILABLE","message":"Away."}}');
    expect((error.cause as Error).message).toContain('hunter2');
  });
});

describe('toTidegateError', () => {
  it('returns a TidegateError unchanged', () => {
    const error = new TidegateError('CONFLICT', 'Changed.');
    expect(toTidegateError(error)).toBe(error);
  });

  it.each([new Error('secret'), 'secret', undefined, null, { code: 'CONFLICT' }])(
    'converts %s to INTERNAL',
    (thrown) => {
      const error = toTidegateError(thrown);
      expect(error.code).toBe('INTERNAL');
      expect(error.message).not.toContain('secret');
    },
  );
});

describe('decodeErrorBody', () => {
  it.each([
    undefined,
    null,
    'error',
    {},
    { error: null },
    { error: { code: 'NO_SUCH_CODE', message: 'm' } },
    { error: { code: 'toString', message: 'm' } },
    { error: { code: 'CONFLICT' } },
  ])('returns undefined for %j', (body) => expect(decodeErrorBody(body)).toBeUndefined());
});

describe('the code table', () => {
  it('knows its codes and no inherited property', () => {
    expect(codes.every(isErrorCode)).toBe(true);
    expect(isErrorCode('constructor')).toBe(false);
    expect(isErrorCode(42)).toBe(false);
  });

  it.each(codes)('%s has an error status, and a close code in the range of that status', (code) => {
    const { httpStatus, closeCode } = errorCodes[code];
    expect(httpStatus).toBeGreaterThanOrEqual(400);
    expect(httpStatus).toBeLessThan(600);
    // 44xx: the client must change its request. 45xx: the server failed, reconnect.
    expect(Math.floor(closeCode / 100)).toBe(httpStatus < 500 ? 44 : 45);
  });

  it.each(FOR_OPERATORS)('tells a client of %s by the sentence of its code alone', (code) => {
    const error = new TidegateError(code, 'DATABASE_URL of /srv/data is wrong', {
      details: { topic: 'secret' },
    });
    expect(encodeErrorBody(error)).toEqual({ error: { code, message: errorCodes[code].meaning } });
    expect(toldToClient(error)).toEqual({ message: errorCodes[code].meaning, details: {} });
  });
});
