import type { Money } from './order.ts';

/** Cached per currency: creating a formatter costs more than formatting a thousand numbers. */
const currencies = new Map<string, Intl.NumberFormat>();
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const calendar = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });

export function formatMoney({ amountCents, currency }: Money): string {
  const format = currencies.get(currency) ?? new Intl.NumberFormat('en', { style: 'currency', currency });
  currencies.set(currency, format);
  return format.format(amountCents / 100);
}

export function formatTime(iso: string): string {
  return clock.format(new Date(iso));
}

/** Returns date and time, e.g. `Nov 26, 02:36:10 AM`. */
export function formatMoment(iso: string): string {
  return calendar.format(new Date(iso));
}

/** Returns `now`, `12s ago`, `5m ago`, `3h ago` or `2d ago`. */
export function formatAge(iso: string, nowMs: number): string {
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1000);
  if (seconds > -2) return 'now';
  if (seconds > -60) return relative.format(seconds, 'second');
  if (seconds > -3_600) return relative.format(Math.round(seconds / 60), 'minute');
  if (seconds > -86_400) return relative.format(Math.round(seconds / 3_600), 'hour');
  return relative.format(Math.round(seconds / 86_400), 'day');
}

/** Returns the last six characters of a long id, the part that people compare. */
export function shortId(id: string): string {
  return id.length > 8 ? `…${id.slice(-6)}` : id;
}
