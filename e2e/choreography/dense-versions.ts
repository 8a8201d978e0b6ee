import { expect } from 'vitest';
import type { Platform } from './platform.ts';

/** Expects that the published versions of every order are 1, 2, 3 and so on. */
export function expectDenseVersions(platform: Platform): void {
  for (const orderId of platform.publishedOrders()) {
    const versions = platform.published(orderId).map(({ version }) => version);
    expect({ orderId, versions }).toEqual({ orderId, versions: versions.map((_, index) => index + 1) });
  }
}
