import type { Bff } from '@tidegate/bff';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { Gateway } from './gateway.ts';

export interface ReloadOptions {
  readonly gateway: Pick<Gateway, 'replaceBff'>;
  /** One for each BFF: reads its schema and documents from their files. */
  readonly readers: readonly (() => Bff)[];
  readonly logger: Logger;
}

/**
 * Replaces every BFF by one with the current schema and documents. A BFF that cannot be read or built stays unchanged
 * and is logged. Resolvers and live fields are not reloaded: Node caches imported modules, so they need a restart.
 */
export function reloadBffs({ gateway, readers, logger }: ReloadOptions): void {
  for (const read of readers) {
    try {
      const bff = read();
      gateway.replaceBff(bff);
      logger.info({ bff: bff.name, documents: bff.trustedDocuments?.size }, 'the BFF was reloaded');
    } catch (error) {
      logger.error({ err: error }, 'a BFF could not be reloaded and stays as it was');
    }
  }
}

/**
 * Reloads the BFFs on SIGHUP until `stop` is called.
 *
 * @example
 * const reload = reloadOnHangup({ gateway, readers: [readTripBff], logger });
 */
export function reloadOnHangup(options: ReloadOptions): { stop(): void } {
  const reload = (): void => reloadBffs(options);
  process.on('SIGHUP', reload);
  return { stop: () => void process.off('SIGHUP', reload) };
}
