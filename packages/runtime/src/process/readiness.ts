import { withDeadline } from '../resilience/index.ts';
import { describeFailure } from './describe-failure.ts';

export interface ReadinessReport {
  readonly status: 'ready' | 'not ready';
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly error?: string }>>;
}

/** Resolves when all is well; rejects, or throws, with the reason when not. */
export type ReadinessCheck = () => Promise<void> | void;

export interface Readiness {
  /** A check of the same name replaces the one before. */
  addCheck(name: string, check: ReadinessCheck): void;
  /** The process has started completely; before it the report is red under the name `startup`. */
  started(): void;
  /** The process is going: red under the name `shutdown`, for good, so that no new traffic is sent here. */
  stopping(): void;
  report(): Promise<ReadinessReport>;
}

const CHECK_MS = 2_000;

/** What `/readyz` knows. Checks run side by side, each for at most 2 s; reports asked for meanwhile share the answer. */
export function createReadiness(): Readiness {
  const checks = new Map<string, ReadinessCheck>();
  let running: Promise<ReadinessReport> | undefined;
  checks.set('startup', () => {
    throw new Error('the process is still starting');
  });

  async function run(): Promise<ReadinessReport> {
    const results = await Promise.all(
      [...checks].map(async ([name, check]) => [name, await result(check)] as const),
    );
    const status = results.every(([, { ok }]) => ok) ? 'ready' : 'not ready';
    return { status, checks: Object.fromEntries(results) };
  }

  return {
    addCheck: (name, check) => void checks.set(name, check),
    started: () => void checks.delete('startup'),
    stopping: () =>
      void checks.set('shutdown', () => {
        throw new Error('the process is shutting down');
      }),
    report: () => (running ??= run().finally(() => (running = undefined))),
  };
}

async function result(check: ReadinessCheck): Promise<{ ok: boolean; error?: string }> {
  try {
    await withDeadline(CHECK_MS, undefined, async () => check());
    return { ok: true };
  } catch (error) {
    return { ok: false, error: describeFailure(error) };
  }
}
