/**
 * Promise: the services together bring every order to an end, with stock and payments that add up, also after repeated
 * messages, cancellations and restarts.
 */
import { describe } from 'vitest';
import { describeCancellation } from './cancellation.ts';
import { describeFulfilment } from './fulfilment.ts';
import { describeLoadAndRestart } from './load-and-restart.ts';
import { Platform, type StartPlatform } from './platform.ts';
import { describeRepetition } from './repetition.ts';
import type { Storage } from './storage.ts';

/** Runs the suite on any adapters. */
export function describeChoreography(name: string, createStorage: () => Promise<Storage>): void {
  const startPlatform: StartPlatform = async (options) => Platform.start(await createStorage(), options);

  describe(`the choreography on ${name}`, () => {
    describeFulfilment(startPlatform);
    describeCancellation(startPlatform);
    describeRepetition(startPlatform);
    describeLoadAndRestart(startPlatform, createStorage);
  });
}
