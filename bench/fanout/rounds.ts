import { setTimeout as pause } from 'node:timers/promises';
import type { Delays } from '../load/load-group.ts';
import type { LoadProcess } from '../load/load-process.ts';
import { receive } from '../load/open-group.ts';
import { nowUs } from '../processes/clock.ts';
import type { Subject } from './subject.ts';

/** Figures of one round. */
export interface Round {
  readonly deliveries: number;
  readonly deliveriesPerCpuSecond: number;
  readonly deliveriesPerSecond: number;
  /** Share of its core that the server used, 0 to 1. */
  readonly cpuShare: number;
  readonly delays: Delays;
}

/** Batches in flight during a burst: enough that the server always has the next one. */
const BATCHES_IN_FLIGHT = 2;

/** Publishes single ticks at a steady rate, independent of the server's speed (open loop). */
export function steadyRound(
  subject: Subject,
  load: LoadProcess,
  { ticksPerSecond, forMs }: { ticksPerSecond: number; forMs: number },
): Promise<Round> {
  return measureRound(subject, load, async () => {
    const startUs = nowUs();
    const ticks = Math.round((ticksPerSecond * forMs) / 1000);
    const published: Promise<void>[] = [];
    for (let asked = 0; asked < ticks;) {
      const due = Math.min(ticks, Math.floor(((nowUs() - startUs) / 1e6) * ticksPerSecond) + 1);
      for (; asked < due; asked++) {
        const dueUs = Math.round(startUs + (asked / ticksPerSecond) * 1e6);
        published.push(subject.publish({ count: 1, asked: dueUs }));
      }
      // Sleeps until the next tick is due: this process has no core of its own.
      const nextUs = startUs + (asked / ticksPerSecond) * 1e6;
      await pause(Math.max(1, Math.ceil((nextUs - nowUs()) / 1000)));
    }
    await Promise.all(published);
    return ticks;
  });
}

/** Publishes batches back to back: the next when the one before the last has arrived at every connection. */
export function burstRound(
  subject: Subject,
  load: LoadProcess,
  { batchTicks, forMs }: { batchTicks: number; forMs: number },
): Promise<Round> {
  return measureRound(subject, load, async (before) => {
    const until = performance.now() + forMs;
    let batches = 0;
    while (performance.now() < until || batches <= BATCHES_IN_FLIGHT) {
      await subject.publish({ count: batchTicks });
      batches += 1;
      const settled = Math.max(0, batches - BATCHES_IN_FLIGHT) * batchTicks * subject.connections;
      await receive(load, subject.group, before + settled);
    }
    return batches * batchTicks;
  });
}

/** Runs `publishTicks` (which resolves with their number), waits for all deliveries and measures the server's CPU. */
async function measureRound(
  subject: Subject,
  load: LoadProcess,
  publishTicks: (receivedBefore: number) => Promise<number>,
): Promise<Round> {
  const { server, group, connections } = subject;
  await load.request('takeDelays', group);
  const { received } = await load.request('counts', group);
  const before = await server.request('usage', undefined);
  const startedMs = performance.now();
  const deliveries = (await publishTicks(received)) * connections;
  await receive(load, group, received + deliveries);
  const seconds = (performance.now() - startedMs) / 1000;
  const after = await server.request('usage', undefined);
  return {
    deliveries,
    deliveriesPerCpuSecond: deliveries / (after.cpuSeconds - before.cpuSeconds),
    deliveriesPerSecond: deliveries / seconds,
    cpuShare: (after.cpuSeconds - before.cpuSeconds) / seconds,
    delays: await load.request('takeDelays', group),
  };
}
