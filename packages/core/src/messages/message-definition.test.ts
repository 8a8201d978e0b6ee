import { CounterOpened, CounterRaised } from '@tidegate/testing/sample-messages';
import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from './envelope.ts';
import { createMessage, createMessageParser } from './message-definition.ts';

const attributes = { id: 'counters/42@1', key: '42', sequence: 1, timeMs: Date.UTC(2026, 10, 23) };
const raised = createMessage(CounterRaised, { ...attributes, data: { counterId: '42' } });

describe('createMessage', () => {
  it('fills in the attributes of the definition', () => {
    expect(raised).toMatchObject({
      type: 'tidegate.counters.CounterRaised',
      source: '/tidegate/counters',
      subject: '42',
      dataversion: 1,
      time: '2026-11-23T00:00:00.000Z',
    });
  });

  it('rejects data that does not match the schema', () => {
    expect(() => createMessage(CounterRaised, { ...attributes, data: { counterId: '' } })).toThrow(
      'counterId',
    );
  });
});

describe('a message parser', () => {
  const parse = createMessageParser([CounterRaised]);

  it('adds the name of a known message type, which discriminates its data', () => {
    expect(parse(encodeEnvelope(raised))).toEqual({ ...raised, name: 'CounterRaised' });
  });

  it('returns undefined for another message type on a shared topic', () => {
    expect(createMessageParser([CounterOpened])(encodeEnvelope(raised))).toBeUndefined();
  });

  it.each([
    [
      'a foreign type',
      { ...raised, type: 'com.example.Thing' },
      'nobody here knows the type "com.example.Thing"',
    ],
    ['another dataversion', { ...raised, dataversion: 2 }, 'has version 2; this consumer reads 1'],
    ['data that does not match the schema', { ...raised, data: { counterId: 42 } }, 'counterId'],
  ])('rejects %s with the reason', (_what, envelope, reason) => {
    expect(() => parse(encodeEnvelope(envelope))).toThrow(
      expect.objectContaining({ code: 'RECORD_MALFORMED', message: expect.stringContaining(reason) }),
    );
  });
});
