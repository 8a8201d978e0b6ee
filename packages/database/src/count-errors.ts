import { TidegateError } from '@tidegate/core';
import type { Metrics } from '@tidegate/runtime/telemetry';
import { isSerializationFailure, isUniqueViolation, isValueRefusal } from './database-errors.ts';

type TranslateError = (error: unknown) => unknown;

/** Returns the translation with each of its errors counted in `tidegate_database_errors_total`, by kind. */
export function countErrors(translate: TranslateError, metrics: Metrics | undefined): TranslateError {
  if (!metrics) return translate;
  const errors = metrics.counter({
    name: 'tidegate_database_errors_total',
    help: 'Errors of the database, by kind: unavailable, timeout, conflict, duplicate, refused, other',
    labels: ['kind'],
  });
  return (error) => {
    const translated = translate(error);
    errors.inc({ kind: kindOf(translated) });
    return translated;
  };
}

function kindOf(error: unknown): string {
  if (error instanceof TidegateError) return error.code === 'DEADLINE_EXCEEDED' ? 'timeout' : 'unavailable';
  if (isSerializationFailure(error)) return 'conflict';
  if (isUniqueViolation(error)) return 'duplicate';
  return isValueRefusal(error) ? 'refused' : 'other';
}
