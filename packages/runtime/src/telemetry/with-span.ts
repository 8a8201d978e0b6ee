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
  /** Parent from a header or an envelope. Default: the active span, or a new trace when there is none. */
  readonly traceparent?: string | undefined;
  /** Attributes of the span. Default: none. */
  readonly attributes?: Attributes;
}

/**
 * Runs `run` inside a span and passes it the traceparent for outgoing requests and envelopes. With an OpenTelemetry SDK
 * the span is recorded, and marked as failed when `run` rejects. Without an SDK `run` gets a child traceparent, so the
 * trace id is propagated in both cases.
 *
 * @throws the error of `run`.
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

/** Without an SDK the API returns the parent's span context, or an invalid one. Neither identifies a new span. */
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
