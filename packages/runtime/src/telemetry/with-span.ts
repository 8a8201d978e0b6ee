import {
  context,
  isSpanContextValid,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { childTraceparent, formatTraceparent, parseTraceparent, type Traceparent } from './traceparent.ts';

export interface SpanOptions {
  /** The caller's, from a header or an envelope. Without it the span joins the active one, or begins a trace. */
  readonly traceparent?: string | undefined;
  readonly attributes?: Attributes;
}

/**
 * Runs `run` inside a span and gives it the traceparent to hand on. With an OpenTelemetry SDK in the process the span
 * is recorded, and marked as failed when `run` rejects; without one only a child traceparent is derived, so that the
 * trace id flows through headers and envelopes either way.
 */
export async function withSpan<T>(
  name: string,
  { traceparent, attributes = {} }: SpanOptions,
  run: (traceparent: string) => Promise<T>,
): Promise<T> {
  const parent = parseTraceparent(traceparent);
  const base = parent ? remoteParent(parent) : context.active();
  const span = trace.getTracer('tidegate').startSpan(name, { attributes }, base);
  try {
    return await context.with(trace.setSpan(base, span), () => run(traceparentOf(span, parent)));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: String((error as Error | undefined)?.message) });
    span.recordException(error as Error);
    throw error;
  } finally {
    span.end();
  }
}

/** The API without an SDK hands out the parent's context, or an invalid one: neither is a span of ours. */
function traceparentOf(span: Span, parent: Traceparent | undefined): string {
  const own = span.spanContext();
  if (isSpanContextValid(own) && own.spanId !== parent?.spanId) {
    return formatTraceparent({ ...own, sampled: (own.traceFlags & TraceFlags.SAMPLED) !== 0 });
  }
  return childTraceparent(parent && formatTraceparent(parent));
}

function remoteParent({ traceId, spanId, sampled }: Traceparent): Context {
  return trace.setSpanContext(context.active(), {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });
}
