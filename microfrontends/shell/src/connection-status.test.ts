import type { Phase, PhaseDetails } from '@tidegate/live-client';
import { describe, expect, it } from 'vitest';
import { describeStatus, nextStatus, type ConnectionStatus } from './connection-status.ts';

/** Applies phases, one second after another. */
function after(...phases: [Phase, PhaseDetails?][]): ConnectionStatus {
  return phases.reduce<ConnectionStatus>(
    (status, [phase, details], index) => nextStatus(status, phase, details ?? {}, index * 1_000),
    { at: 'connecting' },
  );
}

const retry = { retryInMs: 500, reason: 'cut' };

describe('the status of the connection', () => {
  it('is offline since the first loss, also during and after further attempts', () => {
    expect(after(['live'], ['offline', retry], ['connecting'], ['offline', retry], ['connecting'])).toEqual({
      at: 'offline',
      sinceMs: 1_000,
      isTrying: true,
      reason: 'cut',
    });
  });

  it('is as of the time of the loss until the missed changes have arrived', () => {
    const catchingUp = after(['live'], ['offline', retry], ['connecting'], ['catching-up']);
    expect(catchingUp).toEqual({ at: 'catching-up', asOfMs: 1_000 });
    expect(describeStatus(catchingUp, 9_000)).toMatch(/^As of \d\d:\d\d:\d\d/);
    expect(nextStatus(catchingUp, 'live', {}, 4_000)).toEqual({ at: 'live' });
  });

  it('is signed out when no token is valid, and refused when the server ended it for good', () => {
    expect(after(['live'], ['offline', { closeCode: 4401, signedOut: true }]).at).toBe('signed-out');
    expect(after(['live'], ['offline', { closeCode: 4401 }]).at).toBe('signed-out');
    expect(after(['live'], ['offline', { closeCode: 4400 }]).at).toBe('refused');
  });

  it('counts the time offline', () => {
    const offline = after(['live'], ['offline', retry]);
    expect([13_400, 121_000, 7_300_000].map((nowMs) => describeStatus(offline, nowMs))).toEqual([
      'Offline for 12 s',
      'Offline for 2 min',
      'Offline for 2 h',
    ]);
  });
});
