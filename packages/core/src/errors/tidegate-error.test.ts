import { describe, expect, it } from 'vitest';
import { errorCodes, isErrorCode, type ErrorCode } from './codes.ts';
import { decodeErrorBody, encodeErrorBody, TidegateError, toTidegateError } from './tidegate-error.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];

describe('a TidegateError', () => {
  it.each(codes)('%s survives an HTTP border', (code) => {
    const error = new TidegateError(code, 'What happened.', { details: { field: 'a', limits: [1, 2] } });
    const decoded = decodeErrorBody(JSON.parse(JSON.stringify(encodeErrorBody(error))));
    expect(decoded).toBeInstanceOf(TidegateError);
    expect(decoded).toMatchObject({ code, message: 'What happened.', details: error.details });
    expect(decoded?.retryable).toBe(errorCodes[code].retryable);
  });

  it('leaves its cause and stack at home', () => {
    const error = new TidegateError('UNAVAILABLE', 'Away.', { cause: new Error('password is hunter2') });
    expect(JSON.stringify(encodeErrorBody(error))).toBe('{"error":{"code":"UNAVAILABLE","message":"Away."}}');
    expect((error.cause as Error).message).toContain('hunter2');
  });
});

describe('toTidegateError', () => {
  it('leaves a TidegateError as it is', () => {
    const error = new TidegateError('CONFLICT', 'Changed.');
    expect(toTidegateError(error)).toBe(error);
  });

  it.each([new Error('secret'), 'secret', undefined, null, { code: 'CONFLICT' }])(
    'makes INTERNAL of %s',
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
  ])('knows that %j is not one', (body) => expect(decodeErrorBody(body)).toBeUndefined());
});

describe('the code table', () => {
  it('knows its own codes and no inherited name', () => {
    expect(codes.every(isErrorCode)).toBe(true);
    expect(isErrorCode('constructor')).toBe(false);
    expect(isErrorCode(42)).toBe(false);
  });

  it.each(codes)('%s has an error status, and a close code whose range says whether to come back', (code) => {
    const { httpStatus, closeCode } = errorCodes[code];
    expect(httpStatus).toBeGreaterThanOrEqual(400);
    expect(httpStatus).toBeLessThan(600);
    // 44xx for what the client did, 45xx for what befell the server.
    expect(Math.floor(closeCode / 100)).toBe(httpStatus < 500 ? 44 : 45);
  });
});
