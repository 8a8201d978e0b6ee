import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LivenessProbe, livenessStream } from './liveness-probe.ts';
import { createCursorCodec } from '../resume/cursor.ts';
import { PartitionWatch } from './partition-watch.ts';
import { LiveHub } from '../hub.ts';
import { createLiveMetrics } from '../metrics.ts';

describe('health', () => {
  let log: EventLog;
  let hub: LiveHub;

  beforeEach(() => {
    log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    hub = new LiveHub({
      streams: [livenessStream],
      log,
      codec: createCursorCodec(['a secret of at least thirty-two characters']),
      logger: silentLogger,
      metrics: createLiveMetrics(createMetrics({ nodeMetrics: false })),
    });
  });

  afterEach(async () => {
    await hub.stop();
    await log.close();
  });

  it('is green while a record written to the log comes out of a subscription', async () => {
    const canary = new LivenessProbe({ hub, log, logger: silentLogger, everyMs: 20, silentMs: 200 });
    await canary.prepare();
    await hub.start(AbortSignal.timeout(5_000));
    canary.start();
    const [position] = await until(() => hub.feeds[0]!.positions[0]! >= 20 && hub.feeds[0]!.positions, {
      what: 'twenty canaries',
    });
    expect(position).toBeGreaterThanOrEqual(20);
    expect(() => canary.check()).not.toThrow();
    canary.stop();
  });

  it('turns red when nothing comes out any more, though everything else looks well', async () => {
    const canary = new LivenessProbe({ hub, log, logger: silentLogger, everyMs: 20, silentMs: 100 });
    await canary.prepare();
    await hub.start(AbortSignal.timeout(5_000));
    canary.start();
    // The tail dies silently, as users of other systems report it: no error, no close.
    await Promise.all(hub.feeds.map((feed) => feed.stop()));
    await until(
      () => {
        try {
          canary.check();
          return false;
        } catch (error) {
          return String(error);
        }
      },
      { what: 'the canary to be missed' },
    );
    expect(() => hub.checkFlow()).not.toThrow();
    expect(() => canary.check()).toThrow(/no change has come through/);
    canary.stop();
  });

  it('names a partition whose tail is stuck', async () => {
    const canary = new LivenessProbe({ hub, log, logger: silentLogger, everyMs: 20 });
    await canary.prepare();
    await hub.start(AbortSignal.timeout(5_000));
    const watch = new PartitionWatch({ log, logger: silentLogger, feeds: hub.feeds, everyMs: 30 });
    canary.start();
    watch.start();
    await Promise.all(hub.feeds.map((feed) => feed.stop()));
    await until(
      () => {
        try {
          watch.check();
          return false;
        } catch {
          return true;
        }
      },
      { what: 'the watch to see it' },
    );
    expect(() => watch.check()).toThrow(/tidegate\.canary is stuck on partition 0/);
    watch.stop();
    canary.stop();
  });
});
