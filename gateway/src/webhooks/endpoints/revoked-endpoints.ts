import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { startDueLoop, type DueLoop } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import { Revocations } from '../../auth/revocations.ts';
import type { WebhookTables } from '../tables.ts';
import { disableEndpoint } from './endpoint-health.ts';
import { viewerOfEndpoint } from './endpoint-viewer.ts';

export interface RevokedEndpointsOptions {
  readonly database: Database<WebhookTables>;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly clock: () => number;
}

/** Interval between checks that no revocation caused, after which a failed check is repeated at the latest. */
const CHECK_INTERVAL_MS = 5_000;

/**
 * Disables the endpoints of partners whose access is revoked: of a subject, or of the token that registered or last
 * enabled the endpoint. An endpoint outlives its token and the revocation, so its state is stored. Its partner enables
 * it again with a token that is not revoked.
 */
export class RevokedEndpoints {
  readonly #options: RevokedEndpointsOptions;
  readonly #revocations: Revocations;
  #loop: DueLoop | undefined;

  constructor(options: RevokedEndpointsOptions) {
    const { log, logger, clock } = options;
    this.#options = options;
    this.#revocations = new Revocations({ log, logger, clock, onRevoked: () => this.#loop?.wake() });
  }

  /**
   * Resolves when the endpoints of all revocations so far are disabled; later ones follow as fast as the log is tailed.
   *
   * @throws TidegateError UNAVAILABLE when the log is away.
   */
  async start(): Promise<void> {
    await this.#revocations.start();
    await this.#disableAll();
    this.#loop ??= startDueLoop({
      pass: async () => {
        await this.#disableAll();
        return undefined;
      },
      clock: this.#options.clock,
      pollMs: CHECK_INTERVAL_MS,
      onFailure: (err) => {
        this.#options.logger.warn(
          { err },
          'endpoints of revoked partners could not be disabled; trying again',
        );
      },
    });
  }

  /** @throws Error while revocations cannot be read. */
  check(): void {
    this.#revocations.check();
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
    await this.#revocations.stop();
  }

  async #disableAll(): Promise<void> {
    const { list } = this.#revocations;
    if (list.size === 0) return;
    const { database, logger, clock } = this.#options;
    const enabled = await database.query
      .selectFrom('webhook_endpoints')
      .select(['id', 'partner', 'claims', 'token_id', 'token_issued_at'])
      .where('status', '=', 'enabled')
      .execute();
    for (const row of enabled) {
      if (!list.isRevoked(viewerOfEndpoint(row))) continue;
      await database.transaction((unit) =>
        disableEndpoint(unit, row.id, 'The access of its partner was revoked.', clock()),
      );
      logger.warn(
        { endpoint: row.id, partner: row.partner },
        'disabled an endpoint whose access was revoked',
      );
    }
  }
}
