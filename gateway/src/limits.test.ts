import { parseConfig } from '@tidegate/runtime/config';
import { describe, expect, it } from 'vitest';
import { gatewayLimits, limitsFrom, limitSettings, withDefaultLimits, type Limit } from './limits.ts';

const rows = Object.entries(gatewayLimits) as [keyof typeof gatewayLimits, Limit][];

describe('the limits of a gateway', () => {
  it.each(rows)(
    '%s is set by its variable, within its range only',
    (name, { variable, range: [min, max] }) => {
      expect(limitsFrom(parseConfig(limitSettings, { [variable]: String(min) }))).toEqual({ [name]: min });
      expect(limitsFrom(parseConfig(limitSettings, { [variable]: String(max) }))).toEqual({ [name]: max });
      for (const outside of [min - 1, max + 1]) {
        expect(() => parseConfig(limitSettings, { [variable]: String(outside) })).toThrow(
          new RegExp(`^${variable} is ".+"; it expects`),
        );
      }
    },
  );

  it.each(rows)('%s has a default within its range', (name, { range: [min, max] }) => {
    const value = withDefaultLimits()[name];
    expect(value).toBeGreaterThanOrEqual(min);
    expect(value).toBeLessThanOrEqual(max);
  });

  it('have no variable in common', () => {
    expect(new Set(rows.map(([, { variable }]) => variable)).size).toBe(rows.length);
  });

  it('take a given value before the default', () => {
    expect(withDefaultLimits({ maxBodyBytes: 1 })).toEqual({ ...withDefaultLimits(), maxBodyBytes: 1 });
  });
});
