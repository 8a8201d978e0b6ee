import type { Phase, PhaseDetails } from '@tidegate/live-client';

/** What the page knows about its connection. Times are in ms since the epoch. */
export type ConnectionStatus =
  | { readonly at: 'connecting' }
  | { readonly at: 'live' }
  /** Connected, but changes since this time may be missing. */
  | { readonly at: 'catching-up'; readonly asOfMs: number }
  | { readonly at: 'offline'; readonly sinceMs: number; readonly isTrying: boolean; readonly reason: string }
  | { readonly at: 'signed-out'; readonly sinceMs: number; readonly reason: string }
  /** The server has refused the connection for good. */
  | { readonly at: 'refused'; readonly sinceMs: number; readonly reason: string };

/** Returns the status after a change of the client's phase. An attempt to reconnect does not end `offline`. */
export function nextStatus(
  now: ConnectionStatus,
  phase: Phase,
  details: PhaseDetails,
  nowMs: number,
): ConnectionStatus {
  switch (phase) {
    case 'live':
      return { at: 'live' };
    case 'catching-up':
      return { at: 'catching-up', asOfMs: knownUntil(now, nowMs) };
    case 'connecting':
      if (now.at === 'connecting' || now.at === 'catching-up') return now;
      if (now.at === 'live') return { at: 'catching-up', asOfMs: nowMs };
      return { at: 'offline', sinceMs: now.sinceMs, isTrying: true, reason: now.reason };
    case 'offline': {
      const facts = { sinceMs: knownUntil(now, nowMs), reason: details.reason ?? 'The connection is gone.' };
      if (details.signedOut || (details.retryInMs === undefined && details.closeCode === 4401)) {
        return { at: 'signed-out', ...facts };
      }
      if (details.retryInMs === undefined) return { at: 'refused', ...facts };
      return { at: 'offline', isTrying: false, ...facts };
    }
  }
}

/** Returns the time until which the page was live. */
function knownUntil(now: ConnectionStatus, nowMs: number): number {
  if (now.at === 'catching-up') return now.asOfMs;
  return 'sinceMs' in now ? now.sinceMs : nowMs;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Returns the text of the pill, e.g. `Offline for 12 s`. */
export function describeStatus(status: ConnectionStatus, nowMs: number): string {
  switch (status.at) {
    case 'connecting':
      return 'Connecting…';
    case 'live':
      return 'Live';
    case 'catching-up':
      return `As of ${clock.format(status.asOfMs)}`;
    case 'offline':
      return `Offline for ${describeDuration(nowMs - status.sinceMs)}`;
    case 'signed-out':
      return 'Signed out';
    case 'refused':
      return 'Not connected';
  }
}

function describeDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3_600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
}
