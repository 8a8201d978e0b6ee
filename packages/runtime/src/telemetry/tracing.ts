export interface Telemetry {
  /** Sends what is still buffered, waiting at most a few seconds, and shuts the exporter down. Idempotent. */
  stop(): Promise<void>;
}

export interface TelemetryOptions {
  /** The `service.name` of every span. */
  readonly service: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const STOP_MS = 3_000;

/**
 * Exports spans by OTLP over HTTP when `OTEL_EXPORTER_OTLP_ENDPOINT` (or `..._TRACES_ENDPOINT`) is set; the other
 * `OTEL_*` variables (sampler, headers, resource attributes) are read by the SDK itself. Otherwise nothing is even
 * loaded: the SDK costs some 400 ms and 40 MB at start.
 */
export async function startTelemetry({ service, env = process.env }: TelemetryOptions): Promise<Telemetry> {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (!endpoint) return { stop: () => Promise.resolve() };
  const [{ NodeSDK }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
  ]);
  const sdk = new NodeSDK({
    serviceName: service,
    traceExporter: new OTLPTraceExporter(),
    // Metrics are scraped from /metrics and logs are lines on stderr: neither leaves by OTLP as well.
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  let stopping: Promise<void> | undefined;
  return { stop: () => (stopping ??= shutDown(sdk)) };
}

/** An unreachable collector must not hold up the end of a process. */
async function shutDown(sdk: { shutdown(): Promise<void> }): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_MS)));
  await Promise.race([sdk.shutdown().catch(() => undefined), late]);
  clearTimeout(timer);
}
