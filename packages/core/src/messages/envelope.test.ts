import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeEnvelope,
  encodeEnvelope,
  encodeStructured,
  type EncodedEnvelope,
  type Envelope,
} from './envelope.ts';

const envelope: Envelope = {
  id: 'counters/42@7',
  source: '/tidegate/counters',
  type: 'tidegate.counters.CounterRaised',
  time: '2026-11-23T07:00:00.000Z',
  subject: '42',
  dataversion: 1,
  sequence: 7,
  causationid: 'command-1',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  data: { counterId: '42' },
};

const filled = fc
  .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
  .filter((text) => !/\p{Cc}/u.test(text));
const anyEnvelope: fc.Arbitrary<Envelope> = fc.record({
  id: filled,
  source: filled,
  type: filled,
  time: fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
    .map((at) => at.toISOString()),
  subject: filled,
  dataversion: fc.integer({ min: 1, max: 1_000 }),
  sequence: fc.integer({ min: 1 }),
  causationid: fc.option(fc.string(), { nil: undefined }),
  traceparent: fc.option(fc.string(), { nil: undefined }),
  // JSON knows no negative zero: it comes back as zero.
  data: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
});

describe('an envelope', () => {
  it('is equal after encoding and decoding', () => {
    fc.assert(
      fc.property(anyEnvelope, (any) => {
        expect(decodeEnvelope(encodeEnvelope(any))).toEqual(any);
      }),
    );
  });

  it('is CloudEvents 1.0 in binary mode: attributes as ce_ headers, data as the value, the subject as the key', () => {
    const { key, value, headers } = encodeEnvelope(envelope);
    expect(key).toBe('42');
    expect(JSON.parse(value.toString())).toEqual({ counterId: '42' });
    expect(headers).toEqual({
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: 'counters/42@7',
      ce_source: '/tidegate/counters',
      ce_type: 'tidegate.counters.CounterRaised',
      ce_time: '2026-11-23T07:00:00.000Z',
      ce_subject: '42',
      ce_dataversion: '1',
      ce_sequence: '7',
      ce_causationid: 'command-1',
      traceparent: envelope.traceparent,
    });
  });

  it('has no header for an absent attribute', () => {
    const { headers } = encodeEnvelope({ ...envelope, causationid: undefined, traceparent: undefined });
    expect(Object.keys(headers)).not.toContain('ce_causationid');
    expect(Object.keys(headers)).not.toContain('traceparent');
  });

  it('in structured mode is one JSON object with the attributes beside the data', () => {
    expect(JSON.parse(JSON.stringify(encodeStructured({ ...envelope, causationid: undefined })))).toEqual({
      specversion: '1.0',
      datacontenttype: 'application/json',
      id: 'counters/42@7',
      source: '/tidegate/counters',
      type: 'tidegate.counters.CounterRaised',
      time: '2026-11-23T07:00:00.000Z',
      subject: '42',
      dataversion: 1,
      sequence: 7,
      traceparent: envelope.traceparent,
      data: { counterId: '42' },
    });
  });
});

describe('a record of another producer', () => {
  const { data, ...attributes } = envelope;
  const structured = (event: unknown, contentType: string, key = '42') => ({
    key,
    value: Buffer.from(JSON.stringify(event)),
    headers: { 'content-type': contentType },
  });

  it.each([
    'application/cloudevents+json',
    'application/cloudevents+json; charset=UTF-8',
    'Application/CloudEvents+JSON',
  ])('may be in structured mode: %s', (contentType) => {
    expect(decodeEnvelope(structured(encodeStructured(envelope), contentType))).toEqual(envelope);
  });

  it('may have no key: the subject is the key', () => {
    expect(decodeEnvelope({ ...encodeEnvelope(envelope), key: '' })).toEqual(envelope);
  });

  it.each([
    ['no object', [attributes], 'not a CloudEvent in JSON'],
    ['a missing attribute', { specversion: '1.0', ...attributes, id: undefined, data }, 'at id'],
    [
      'another subject than its key',
      { specversion: '1.0', ...attributes, subject: '43', data },
      'not its subject',
    ],
  ])('in structured mode with %s is rejected with the reason', (_what, event, reason) => {
    expect(() => decodeEnvelope(structured(event, 'application/cloudevents+json'))).toThrow(
      expect.objectContaining({ code: 'RECORD_MALFORMED', message: expect.stringContaining(reason) }),
    );
  });
});

describe('a malformed record', () => {
  const good = encodeEnvelope(envelope);
  const withHeader = (name: string, value: string): EncodedEnvelope => ({
    ...good,
    headers: { ...good.headers, [name]: value },
  });

  it.each([
    ['no headers', { ...good, headers: {} }, 'not a CloudEvents 1.0 record'],
    ['another specversion', withHeader('ce_specversion', '0.3'), 'at specversion'],
    ['an empty id', withHeader('ce_id', ''), 'at id'],
    ['a NUL in the id', withHeader('ce_id', 'a\u0000b'), 'has a control character'],
    ['an id of 6,000 characters', withHeader('ce_id', 'x'.repeat(6_000)), 'longer than 1024 bytes'],
    ['a source of 600 characters', withHeader('ce_source', 'x'.repeat(600)), 'longer than 512 bytes'],
    [
      'a NUL in key and subject',
      { ...withHeader('ce_subject', 'a\u0000b'), key: 'a\u0000b' },
      'has a control character',
    ],
    [
      '500 headers',
      {
        ...good,
        headers: {
          ...good.headers,
          ...Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`h${n}`, 'x'])),
        },
      },
      'more than 256 headers',
    ],
    ['a malformed time', withHeader('ce_time', 'yesterday'), 'at time'],
    ['a sequence below 1', withHeader('ce_sequence', '0'), 'at sequence'],
    ['a sequence that is not a number', withHeader('ce_sequence', 'seven'), 'at sequence'],
    [
      'a key that differs from the subject',
      { ...good, key: '43' },
      'the record\'s key "43" is not its subject "42"',
    ],
    ['no value', { ...good, value: null }, 'the record has no value'],
    ['a value that is not JSON', { ...good, value: Buffer.from('{') }, 'the value is not JSON'],
  ])('with %s is rejected with the reason', (_what, record, reason) => {
    expect(() => decodeEnvelope(record)).toThrow(
      expect.objectContaining({ code: 'RECORD_MALFORMED', message: expect.stringContaining(reason) }),
    );
  });

  it('is rejected with RECORD_MALFORMED and no other error, for arbitrary content', () => {
    const headers = fc.dictionary(fc.constantFrom(...Object.keys(good.headers)), fc.string());
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), headers, (key, value, some) => {
        try {
          decodeEnvelope({ key, value: Buffer.from(value), headers: some });
        } catch (error) {
          expect(error).toMatchObject({ name: 'TidegateError', code: 'RECORD_MALFORMED' });
        }
      }),
    );
  });
});
