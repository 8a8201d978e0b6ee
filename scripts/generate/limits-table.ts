import { gatewayLimits, type Limit } from '@tidegate/gateway';
import { alignedTable } from './aligned-table.ts';

const BEGIN = '<!-- limits: written by `npm run generate` -->';
const END = '<!-- /limits -->';

/** Page that has the table. */
export const limitsPage = 'docs/operations.md';

/**
 * Returns the page with the current table of limits between its markers.
 *
 * @throws Error when the page has no markers.
 */
export function withLimitsTable(page: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${limitsPage} has no ${BEGIN} … ${END}`);
  return `${page.slice(0, from)}${BEGIN}\n\n${renderLimitsTable()}\n\n${page.slice(to)}`;
}

function renderLimitsTable(): string {
  const limits: readonly Limit[] = Object.values(gatewayLimits);
  const rows = limits.map((limit) => [
    `\`${limit.variable}\``,
    limit.meaning,
    typeof limit.default === 'number' ? format(limit.default, limit.unit) : limit.default.meaning,
    `${format(limit.range[0], limit.unit)} to ${format(limit.range[1], limit.unit)}`,
  ]);
  return alignedTable([['variable', 'limit', 'default', 'range'], ...rows]);
}

const units: Readonly<Record<'bytes' | 'milliseconds', readonly (readonly [size: number, name: string])[]>> =
  {
    bytes: [
      [1024 ** 3, 'GiB'],
      [1024 ** 2, 'MiB'],
      [1024, 'KiB'],
      [1, 'bytes'],
    ],
    milliseconds: [
      [24 * 60 * 60 * 1000, 'days'],
      [60 * 1000, 'min'],
      [1000, 's'],
      [1, 'ms'],
    ],
  };

/** Writes a value in the largest unit that divides it, such as `256 KiB`. */
function format(value: number, unit: Limit['unit']): string {
  if (unit === 'count' || value === 0) return value.toLocaleString('en');
  const [size, name] = units[unit].find(([each]) => value % each === 0)!;
  return `${(value / size).toLocaleString('en')} ${name}`;
}
