/**
 * Matches URLs; IPv4 and IPv6 addresses; host names that a port follows, or that a resolver's error names; absolute
 * paths.
 */
const ADDRESSES = new RegExp(
  [
    String.raw`\b[a-z][a-z0-9+.-]*:\/\/[^\s"',;)]+`,
    String.raw`\[[0-9a-f:.]+\](?::\d+)?`,
    String.raw`\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b`,
    String.raw`(?<![\w:])(?:[0-9a-f:]*::[0-9a-f:]*|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4})(?![\w:])`,
    String.raw`(?<=\b(?:ENOTFOUND|EAI_AGAIN) )\S+`,
    String.raw`(?<![\w.:-])[a-z_][\w.-]*:\d{2,5}\b`,
    String.raw`(?<![\w/])\/(?:[\w.-]+\/)*[\w.-]+`,
  ].join('|'),
  'gi',
);

/** Replaces the addresses and paths in a reason by `***`, so that a public address may name it. */
export function withoutAddresses(reason: string): string {
  return reason.replaceAll(ADDRESSES, '***');
}
