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

describe('the health of the live engine', () => {
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

  it('is ready while a record appended to the log reaches a subscription', async () => {
    const probe = new LivenessProbe({ hub, log, logger: silentLogger, everyMs: 20, silentMs: 200 });
    await probe.prepare();
    await hub.start(AbortSignal.timeout(5_000));
    probe.start();
    const [position] = await until(() => hub.feeds[0]!.positions[0]! >= 20 && hub.feeds[0]!.positions, {
      what: 'twenty probes',
    });
    expect(position).toBeGreaterThanOrEqual(20);
    expect(() => probe.check()).not.toThrow();
    probe.stop();
  });

  it('is not ready when no changes arrive, although every component looks healthy', async () => {
    const probe = new LivenessProbe({ hub, log, logger: silentLogger, everyMs: 20, silentMs: 100 });
    await probe.prepare();
    await hub.start(AbortSignal.timeout(5_000));
    probe.start();
    // The tail stops silently, with no error and no close event, as users of other systems report.
    await Promise.all(hub.feeds.map((feed) => feed.stop()));
    await until(
      () => {
        try {
          probe.check();
          return false;
        } catch (error) {
          return String(error);
        }
      },
      { what: 'the missing probe to be noticed' },
    );
    expect(() => hub.checkFlow()).not.toThrow();
    expect(() => probe.check()).toThrow(/no change has come through/);
    probe.stop();
  });

  it('names a partition whose tail is stuck', async () => {
    const probe = new LivenessProbe({ hub, log, logger: silentLogger, everyMs: 20 });
    await probe.prepare();
    await hub.start(AbortSignal.timeout(5_000));
    const watch = new PartitionWatch({ log, logger: silentLogger, feeds: hub.feeds, everyMs: 30 });
    probe.start();
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
    probe.stop();
  });
});
