export { backoffMs, delay, type BackoffOptions } from './backoff.ts';
export { retry, type RetryOptions } from './retry.ts';
export { createBreaker, type Breaker, type BreakerOptions, type BreakerState } from './breaker.ts';
export { startDueLoop, type DueLoop, type DueLoopOptions } from './due-loop.ts';
export { withDeadline } from './deadline.ts';
export { WakeUp } from './wake-up.ts';
export { WorkTurns, type WorkTurnsOptions } from './work-turns.ts';
