import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { TidegateError } from '@tidegate/core';
import { override, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LivenessProbe, livenessStream, type LivenessProbeOptions } from './liveness-probe.ts';
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

  const isReady = (probe: LivenessProbe): boolean => {
    try {
      probe.check();
      return true;
    } catch {
      return false;
    }
  };

  async function startProbe(append: EventLog['append'], options: Partial<LivenessProbeOptions> = {}) {
    const flaky = override(log, { append });
    const probe = new LivenessProbe({
      hub,
      log: flaky,
      logger: silentLogger,
      everyMs: 10,
      silentMs: 150,
      ...options,
    });
    await probe.prepare();
    await hub.start(AbortSignal.timeout(5_000));
    probe.start();
    return probe;
  }

  it('is ready again after an outage of the log of any length', async () => {
    let away = false;
    const probe = await startProbe(async (topic, records) => {
      if (away) throw new TidegateError('UNAVAILABLE', 'the log is away');
      return log.append(topic, records);
    });
    for (let outage = 0; outage < 3; outage++) {
      away = true;
      await until(() => !isReady(probe), { what: 'the outage to be noticed' });
      away = false;
      await until(() => isReady(probe), { what: 'the probe to recover' });
    }
    // A subscription that ended with a gap would be silent from now on.
    const before = hub.feeds[0]!.positions[0]!;
    await until(() => hub.feeds[0]!.positions[0]! > before + 40, { what: 'forty more probes' });
    expect(isReady(probe)).toBe(true);
    probe.stop();
  });

  it('is ready after an append that failed although its record was appended', async () => {
    let appends = 0;
    const probe = await startProbe(async (topic, records) => {
      const positions = await log.append(topic, records);
      if (++appends % 3 === 0) throw new TidegateError('UNAVAILABLE', 'no answer');
      return positions;
    });
    await until(() => appends > 60, { what: 'sixty probes' });
    expect(isReady(probe)).toBe(true);
    probe.stop();
  });

  it('has one append in flight at a time, so that none overtakes another', async () => {
    let [inFlight, most, appends] = [0, 0, 0];
    const probe = await startProbe(async (topic, records) => {
      most = Math.max(most, ++inFlight);
      // Every other append is slower than the interval of the probes.
      if (++appends % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 35));
      const positions = await log.append(topic, records);
      inFlight -= 1;
      return positions;
    });
    await until(() => appends > 20, { what: 'twenty probes' });
    expect(most).toBe(1);
    expect(isReady(probe)).toBe(true);
    probe.stop();
  });

  it('goes on after an append that is never answered, also when it is appended later', async () => {
    let hanging: (() => Promise<unknown>) | undefined;
    const probe = await startProbe(
      (topic, records) => {
        if (hanging) return log.append(topic, records);
        hanging = () => log.append(topic, records);
        return new Promise(() => undefined);
      },
      { appendDeadlineMs: 30 },
    );
    const position = (): number => hub.feeds[0]!.positions[0]!;
    await until(() => position() > 5, { what: 'probes after the append that hangs' });
    await hanging!();
    const before = position();
    await until(() => position() > before + 20, { what: 'twenty more probes' });
    expect(isReady(probe)).toBe(true);
    probe.stop();
  });

  it('subscribes again when its subscription has ended', async () => {
    const probe = await startProbe((topic, records) => log.append(topic, records));
    await until(() => hub.subscriptions === 1, { what: 'the subscription' });
    await hub.stop();
    await until(() => !isReady(probe), { what: 'the end to be noticed' });
    await hub.start(AbortSignal.timeout(5_000));
    await until(() => isReady(probe), { what: 'the probe to recover' });
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
