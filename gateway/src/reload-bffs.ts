import type { Bff } from '@tidegate/bff';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { Gateway } from './gateway.ts';

export interface ReloadOptions {
  readonly gateway: Pick<Gateway, 'replaceBff'>;
  /** Each reads one hosted BFF's schema and documents anew. */
  readonly readers: readonly (() => Bff)[];
  readonly logger: Logger;
}

/**
 * Replaces every BFF by what its files say now. One that cannot be read or built stays as it was, and is logged. Code
 * is not read again: Node keeps what it has imported, so a change of resolvers or live fields needs a restart, which
 * drains.
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

/** Reloads on SIGHUP, until it is stopped. */
export function reloadOnHangup(options: ReloadOptions): { stop(): void } {
  const reload = (): void => reloadBffs(options);
  process.on('SIGHUP', reload);
  return { stop: () => void process.off('SIGHUP', reload) };
}
