import { randomBytes } from 'node:crypto';

/** A W3C Trace Context `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header), taken apart. */
export interface Traceparent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero: the caller's span. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 0x01;

/** Undefined when it is not one: a malformed header starts a new trace, it never fails a request. */
export function parseTraceparent(value: string | null | undefined): Traceparent | undefined {
  const match = value ? SHAPE.exec(value) : null;
  if (!match) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = match;
  // Version ff is forbidden; version 00 ends after the flags; a later version may go on.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (isZero(traceId) || isZero(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

export function formatTraceparent({ traceId, spanId, sampled }: Traceparent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** The first of a new trace, sampled. */
export function createTraceparent(): string {
  return formatTraceparent({ traceId: randomId(16), spanId: randomId(8), sampled: true });
}

/** A new span in the parent's trace; the first of a new trace when there is no well-formed parent. */
export function childTraceparent(parent?: string): string {
  const known = parseTraceparent(parent);
  return known ? formatTraceparent({ ...known, spanId: randomId(8) }) : createTraceparent();
}

function randomId(bytes: number): string {
  const id = randomBytes(bytes).toString('hex');
  return isZero(id) ? randomId(bytes) : id;
}

function isZero(id: string): boolean {
  return /^0+$/.test(id);
}
