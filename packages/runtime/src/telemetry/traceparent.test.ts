import { describe, expect, it } from 'vitest';
import { childTraceparent, createTraceparent, formatTraceparent, parseTraceparent } from './traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe('a traceparent', () => {
  it('is parsed and formatted as W3C Trace Context specifies', () => {
    const header = `00-${traceId}-${spanId}-01`;
    expect(parseTraceparent(header)).toEqual({ traceId, spanId, sampled: true });
    expect(formatTraceparent({ traceId, spanId, sampled: true })).toBe(header);
    expect(formatTraceparent({ traceId, spanId, sampled: false })).toBe(`00-${traceId}-${spanId}-00`);
  });

  it('is sampled when the last bit of its flags is set', () => {
    expect(parseTraceparent(`00-${traceId}-${spanId}-03`)?.sampled).toBe(true);
    expect(parseTraceparent(`00-${traceId}-${spanId}-02`)?.sampled).toBe(false);
  });

  it('of a later version may be longer', () => {
    expect(parseTraceparent(`01-${traceId}-${spanId}-01-more`)).toEqual({ traceId, spanId, sampled: true });
  });

  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['upper case', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['the forbidden version', `ff-${traceId}-${spanId}-01`],
    ['more than version 00 has', `00-${traceId}-${spanId}-01-more`],
    ['more after a later version without a dash', `01-${traceId}-${spanId}-01more`],
    ['a short trace id', `00-${traceId.slice(1)}-${spanId}-01`],
    ['a line break at the end', `00-${traceId}-${spanId}-01\n`],
  ])('is not %s', (_what, header) => expect(parseTraceparent(header)).toBeUndefined());

  it('starts a new, sampled trace', () => {
    expect(parseTraceparent(createTraceparent())).toMatchObject({ sampled: true });
    expect(createTraceparent()).not.toBe(createTraceparent());
  });

  it('has children with its trace id, its sampling and a new span id', () => {
    const child = parseTraceparent(childTraceparent(`00-${traceId}-${spanId}-00`));
    expect(child).toMatchObject({ traceId, sampled: false });
    expect(child?.spanId).not.toBe(spanId);
  });

  it('starts a new trace when the parent is malformed or missing', () => {
    expect(parseTraceparent(childTraceparent('nonsense'))).toBeDefined();
    expect(parseTraceparent(childTraceparent())).toBeDefined();
  });
});
