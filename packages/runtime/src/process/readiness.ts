import { withDeadline } from '../resilience/index.ts';
import { describeFailure } from './describe-failure.ts';

export interface ReadinessReport {
  readonly status: 'ready' | 'not ready';
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly error?: string }>>;
}

/** Resolves when the checked thing works; rejects, or throws, with the reason when it does not. */
export type ReadinessCheck = () => Promise<void> | void;

export interface Readiness {
  /** A check of the same name replaces the earlier one. */
  addCheck(name: string, check: ReadinessCheck): void;
  /** The process has started completely. Until then the report is "not ready" under the name `startup`. */
  started(): void;
  /** The process is stopping: "not ready" under the name `shutdown` from now on, so that traffic goes elsewhere. */
  stopping(): void;
  report(): Promise<ReadinessReport>;
}

const CHECK_MS = 2_000;

/** Creates the checks behind `/readyz`. They run concurrently, each for at most 2 s; concurrent reports share one run. */
export function createReadiness(): Readiness {
  return new ReadinessChecks();
}

class ReadinessChecks implements Readiness {
  readonly #checks = new Map<string, ReadinessCheck>();
  #running: Promise<ReadinessReport> | undefined;

  constructor() {
    this.addCheck('startup', () => {
      throw new Error('the process is still starting');
    });
  }

  addCheck(name: string, check: ReadinessCheck): void {
    this.#checks.set(name, check);
  }

  started(): void {
    this.#checks.delete('startup');
  }

  stopping(): void {
    this.addCheck('shutdown', () => {
      throw new Error('the process is shutting down');
    });
  }

  report(): Promise<ReadinessReport> {
    return (this.#running ??= this.#run().finally(() => (this.#running = undefined)));
  }

  async #run(): Promise<ReadinessReport> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await resultOf(check)] as const),
    );
    const status = results.every(([, { ok }]) => ok) ? 'ready' : 'not ready';
    return { status, checks: Object.fromEntries(results) };
  }
}

async function resultOf(check: ReadinessCheck): Promise<{ ok: boolean; error?: string }> {
  try {
    await withDeadline(CHECK_MS, undefined, async () => check());
    return { ok: true };
  } catch (error) {
    return { ok: false, error: describeFailure(error) };
  }
}
