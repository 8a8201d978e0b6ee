import { TidegateError } from '@tidegate/core';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { sampleTopics } from '@tidegate/testing/sample-messages';
import { startRelay, type Relay, type RelayOptions } from '../relay/relay.ts';
import type { Fixture } from './subject.ts';

export const topic = sampleTopics.counterEvents.name;

/** A poll interval beyond every test: only wake-ups make the relay read the outbox. */
const NEVER_MS = 1_000_000;

export function startTestRelay(
  { database, log, outbox }: Fixture,
  options: Partial<RelayOptions> = {},
): Promise<Relay> {
  return startRelay({
    database,
    log,
    outbox,
    logger: silentLogger,
    name: 'test',
    pollMs: NEVER_MS,
    ...options,
  });
}

export function unavailable(): Promise<never> {
  return Promise.reject(new TidegateError('UNAVAILABLE', 'the log is away'));
}
