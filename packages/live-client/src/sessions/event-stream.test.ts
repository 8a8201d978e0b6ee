import { describe, expect, it } from 'vitest';
import { EventStreamParser, type StreamEvent } from './event-stream.ts';

function parse(...pieces: string[]) {
  const events: StreamEvent[] = [];
  const comments: string[] = [];
  const parser = new EventStreamParser({
    onEvent: (event) => events.push(event),
    onComment: (text) => comments.push(text),
  });
  for (const piece of pieces) parser.push(piece);
  return { events, comments };
}

describe('an event stream', () => {
  const text = ': cursor c0\n\nid: c1\nevent: next\ndata: {"a":\ndata: 1}\n\nevent: complete\ndata:\n\n';
  const expected = {
    comments: ['cursor c0'],
    events: [
      { id: 'c1', event: 'next', data: '{"a":\n1}' },
      { id: undefined, event: 'complete', data: '' },
    ],
  };

  it.each(['\n', '\r\n', '\r'])('is parsed alike with the line end %j', (lineEnd) => {
    expect(parse(text.replaceAll('\n', lineEnd), lineEnd)).toEqual(expected);
  });

  it.each(['\n', '\r\n'])('is parsed alike in chunks of any size, with the line end %j', (lineEnd) => {
    const whole = text.replaceAll('\n', lineEnd);
    for (let at = 0; at <= whole.length; at++) {
      expect(parse(whole.slice(0, at), whole.slice(at))).toEqual(expected);
    }
    expect(parse(...whole.split(''))).toEqual(expected);
  });

  it('dispatches an event at an empty line only, and none without data', () => {
    expect(parse('id: 1\n\ndata: x\n')).toEqual({ events: [], comments: [] });
  });

  it('throws RangeError when an event exceeds its maximum size', () => {
    const parser = new EventStreamParser({ onEvent: () => {}, onComment: () => {} });
    const piece = `data: ${'x'.repeat(2 ** 20)}\n`;
    expect(() => {
      for (let index = 0; index < 20; index++) parser.push(piece);
    }).toThrow(RangeError);
  });
});
