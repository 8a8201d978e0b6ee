import { TidegateError } from '@tidegate/core';
import { withDeadline } from '@tidegate/runtime/resilience';

/**
 * Runs a request to Kafka for at most `timeoutMs`. A broker without an answer is an unreachable log to the port, so
 * the deadline's code becomes UNAVAILABLE.
 *
 * @param request Name of the request, for the error's cause.
 * @throws TidegateError UNAVAILABLE when there is no answer in time; errors of `run` as they are.
 */
export async function answerWithin<T>(timeoutMs: number, request: string, run: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline(timeoutMs, undefined, run);
  } catch (error) {
    if (!(error instanceof TidegateError) || error.code !== 'DEADLINE_EXCEEDED') throw error;
    const cause = new Error(`Kafka: no answer to ${request} within ${timeoutMs} ms`);
    throw new TidegateError('UNAVAILABLE', 'The event log does not answer.', { cause });
  }
}
