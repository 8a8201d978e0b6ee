import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { renderRightsPage, rightsPage } from './rights-page.ts';

describe('the page of rights', () => {
  it('is current in the docs; npm run generate writes it', () => {
    expect(readFileSync(join(repositoryRoot, rightsPage), 'utf8')).toBe(renderRightsPage());
  });
});
