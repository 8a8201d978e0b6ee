import { pino, type Logger as PinoLogger } from 'pino';

/** Structured logger. The first argument of each method holds fields, the second one sentence. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

/** Creates a logger that writes JSON lines to stderr. Default level: `LOG_LEVEL`, or `info`. */
export function createLogger(service: string, level: string = process.env['LOG_LEVEL'] ?? 'info'): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['*.authorization', '*.secret', '*.token', 'headers.authorization'], censor: '***' },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** Logs nothing, for tests and tools. */
export const silentLogger: Logger = pino({ level: 'silent' });
