export { backoffMs, delay, type BackoffOptions } from './backoff.ts';
export { retry, type RetryOptions } from './retry.ts';
