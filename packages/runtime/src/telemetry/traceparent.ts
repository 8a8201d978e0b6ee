import { randomBytes } from 'node:crypto';

/** A parsed W3C Trace Context header (https://www.w3.org/TR/trace-context/#traceparent-header). */
export interface Traceparent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** Span of the caller: 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 0x01;

/** Parses a `traceparent` header. Returns undefined for a malformed one: it starts a new trace and fails no request. */
export function parseTraceparent(value: string | null | undefined): Traceparent | undefined {
  const match = value ? SHAPE.exec(value) : null;
  if (!match) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = match;
  // Version ff is forbidden. Version 00 ends after the flags; a later version may have more fields.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (isZero(traceId) || isZero(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** Formats a header of version 00. */
export function formatTraceparent({ traceId, spanId, sampled }: Traceparent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** Creates the header of a new, sampled trace. */
export function createTraceparent(): string {
  return formatTraceparent({ traceId: randomId(16), spanId: randomId(8), sampled: true });
}

/** Creates the header of a new span in the parent's trace, or of a new trace when the parent is malformed or missing. */
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
