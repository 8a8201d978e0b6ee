import { pino, type Logger as PinoLogger } from 'pino';

/** Structured JSON lines on stderr; `LOG_LEVEL` chooses (default info). First argument: fields; second: a sentence. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

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

/** For tests and tools that must not print. */
export const silentLogger: Logger = pino({ level: 'silent' });
