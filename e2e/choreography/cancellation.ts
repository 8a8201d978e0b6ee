import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { expectDenseVersions } from './dense-versions.ts';
import type { Platform, StartPlatform } from './platform.ts';
import { line } from './products.ts';
import { checkedStock } from './stock.ts';

const hour = 3_600_000;

export function describeCancellation(startPlatform: StartPlatform): void {
  describe('an order that is cancelled', () => {
    async function expectEverythingUndone(platform: Platform, orderId: string): Promise<void> {
      await platform.reaches(orderId, 'CANCELLED');
      await platform.idle();
      await until(() => platform.provider.authorized().length === 0, { what: 'the payment is undone' });
      await platform.idle();
      expect(platform.published(orderId).at(-1)?.status).toBe('CANCELLED');
      expect(await checkedStock(platform)).toMatchObject({
        tea: { available: 1000, reserved: 0, sold: 0 },
      });
      expectDenseVersions(platform);
    }

    it('as soon as it is placed is undone everywhere', async () => {
      await using platform = await startPlatform({ prepareMs: hour });
      await platform.place('o1', line('tea'));
      expect(await platform.cancel('o1')).toMatchObject({ status: 'accepted' });
      await expectEverythingUndone(platform, 'o1');
    });

    it('during a slow call to the provider is not charged', async () => {
      await using platform = await startPlatform({ prepareMs: hour });
      await platform.behave({ delayMs: 300 });
      await platform.place('o1', line('tea'));
      await until(() => platform.provider.authorized().length === 1, { what: 'the provider has authorised' });
      expect(await platform.cancel('o1')).toMatchObject({ status: 'accepted' });
      await expectEverythingUndone(platform, 'o1');
    });

    it('while it is prepared is refunded and not dispatched', async () => {
      await using platform = await startPlatform({ prepareMs: hour });
      await platform.place('o1', line('tea'));
      await platform.reaches('o1', 'PREPARING');
      expect(await platform.cancel('o1')).toMatchObject({ status: 'accepted' });
      await until(() => platform.published('o1').at(-1)?.payment?.status === 'REFUNDED', {
        what: 'the payment is refunded',
      });
      await expectEverythingUndone(platform, 'o1');
    });

    it('after its dispatch is not cancelled', async () => {
      await using platform = await startPlatform({ deliverMs: hour });
      await platform.place('o1', line('tea'));
      await until(() => platform.published('o1').at(-1)?.versionVector.orders === 3, {
        what: 'OrderDispatched is published',
      });
      expect(await platform.cancel('o1')).toMatchObject({
        status: 'rejected',
        reason: { code: 'TOO_LATE_TO_CANCEL' },
      });
    });
  });
}
