import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatewayLimits } from '@tidegate/gateway';
import { repositoryRoot } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { limitsPage, withLimitsTable } from './limits-table.ts';

describe('the table of limits', () => {
  const page = readFileSync(join(repositoryRoot, limitsPage), 'utf8');

  it('is current in the docs; npm run generate writes it', () => {
    expect(page).toBe(withLimitsTable(page));
  });

  it('has one row for each limit', () => {
    for (const { variable } of Object.values(gatewayLimits)) {
      expect(page.match(new RegExp(`^\\| \`${variable}\` `, 'gm')), variable).toHaveLength(1);
    }
  });

  it('refuses a page without its markers', () => {
    expect(() => withLimitsTable('# Operations')).toThrow('has no <!-- limits');
  });
});
