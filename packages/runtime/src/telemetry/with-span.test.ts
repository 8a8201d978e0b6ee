import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTraceparent, parseTraceparent } from './traceparent.ts';
import { withSpan } from './with-span.ts';

describe('without an SDK', () => {
  it('passes a child of the given traceparent', async () => {
    const parent = createTraceparent();
    const child = await withSpan('work', { traceparent: parent }, async (traceparent) => traceparent);
    expect(parseTraceparent(child)?.traceId).toBe(parseTraceparent(parent)?.traceId);
    expect(child).not.toBe(parent);
  });

  it('starts a trace when there is none', async () => {
    const begun = await withSpan('work', {}, async (traceparent) => traceparent);
    expect(parseTraceparent(begun)).toBeDefined();
  });

  it('rejects with the error of the work', async () => {
    await expect(withSpan('work', {}, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});

describe('with an SDK', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });

  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(provider);
  });
  afterEach(() => exporter.reset());
  afterAll(async () => {
    trace.disable();
    context.disable();
    await provider.shutdown();
  });

  it('links parent and child when only the traceparent is propagated', async () => {
    const incoming = createTraceparent();
    await withSpan('accept', { traceparent: incoming, attributes: { counter: '42' } }, async (carried) => {
      // As in another process, which receives only the string.
      await context.with(context.active(), () =>
        withSpan('publish', { traceparent: carried }, async () => {}),
      );
    });
    await provider.forceFlush();
    const [publish, accept] = exporter.getFinishedSpans();
    expect([publish?.name, accept?.name]).toEqual(['publish', 'accept']);
    expect(accept?.attributes).toEqual({ counter: '42' });
    expect(accept?.parentSpanContext?.spanId).toBe(parseTraceparent(incoming)?.spanId);
    expect(publish?.parentSpanContext?.spanId).toBe(accept?.spanContext().spanId);
    expect(publish?.spanContext().traceId).toBe(parseTraceparent(incoming)?.traceId);
  });

  it('passes the traceparent of the recorded span', async () => {
    const carried = await withSpan('work', {}, async (traceparent) => traceparent);
    const [span] = exporter.getFinishedSpans();
    expect(parseTraceparent(carried)).toEqual({
      traceId: span?.spanContext().traceId,
      spanId: span?.spanContext().spanId,
      sampled: true,
    });
  });

  it('is a child of the active span without a traceparent', async () => {
    await withSpan('outer', {}, () => withSpan('inner', {}, async () => {}));
    const [inner, outer] = exporter.getFinishedSpans();
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });

  it('does not record an unsampled trace, and propagates the flag', async () => {
    const parent = createTraceparent().replace(/01$/, '00');
    const child = await withSpan('work', { traceparent: parent }, async (traceparent) => traceparent);
    expect(exporter.getFinishedSpans()).toEqual([]);
    expect(parseTraceparent(child)).toMatchObject({
      traceId: parseTraceparent(parent)?.traceId,
      sampled: false,
    });
  });

  it('marks the span of failed work', async () => {
    await expect(withSpan('work', {}, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    const [span] = exporter.getFinishedSpans();
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'broken' });
    expect(span?.events[0]?.attributes?.['exception.message']).toBe('broken');
  });
});
