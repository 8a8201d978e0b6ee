/** Promise: every metric that dashboards, alert rules and documentation name exists, and every one is documented. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

const files = ['deploy/alerts.yml', ...globSync('deploy/grafana/dashboards/*.json', { cwd: repositoryRoot })];
const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');

describe('the metrics of a process with everything in it', () => {
  let platform: EmbeddedPlatform;
  let body: string;

  beforeAll(async () => {
    platform = await startEmbedded();
    const [productId] = await waitForCatalogue(platform.webUrl);
    const token = await platform.token('customer-1', 'customer');
    await placeOrder(platform.webUrl, token, [{ productId: productId!, quantity: 1 }]);
    body = await (await fetch(`${platform.webUrl}/metrics`)).text();
  });
  afterAll(() => platform?.[Symbol.asyncDispose]());

  /** Help text by name. */
  function exported(): Map<string, string> {
    return new Map(
      Array.from(body.matchAll(/^# HELP (\w+) (.*)$/gm), ([, name, help]) => [name!, help!] as const),
    );
  }

  it.each(files)('include all that %s names', (file) => {
    const names = new Set(read(file).match(/\b(?:tidegate|nodejs|process)_\w+/g));
    const known = exported();
    // A histogram is queried by its buckets, its sum or its count.
    const unknown = [...names].filter(
      (name) => !known.has(name) && !known.has(name.replace(/_(?:bucket|sum|count)$/, '')),
    );
    expect(names.size).toBeGreaterThan(0);
    expect(unknown).toEqual([]);
  });

  it('are the table of docs/operations.md', () => {
    const page = read('docs/operations.md');
    const rows = Array.from(
      page.matchAll(/^\| `(tidegate_\w+)` +\| ([^|]*?) +\|$/gm),
      ([, name, help]) => [name!, help!] as const,
    );
    const own = [...exported()].filter(([name]) => name.startsWith('tidegate_'));
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(own));
  });

  it('are those that the runbook names', () => {
    const known = exported();
    const named = new Set(read('docs/operations.md').match(/\btidegate_\w+/g));
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  });

  it('have labels with the values that alert rules and dashboards select', () => {
    const selected = files.flatMap((file) =>
      Array.from(
        read(file).matchAll(/\b(tidegate_\w+)\{(\w+)=\\?"([\w-]+)\\?"\}/g),
        ([, name, label, value]) => `${name!.replace(/_bucket$/, '')} ${label!} ${value!}`,
      ),
    );
    // Labels of errors have no values before the first error.
    const quiet = /_errors_total /;
    const missing = selected.filter((selection) => {
      const [name, label, value] = selection.split(' ');
      return !quiet.test(selection) && !new RegExp(`^${name}\\{.*${label}="${value}".*\\}`, 'm').test(body);
    });
    expect(selected.length).toBeGreaterThan(3);
    expect(missing).toEqual([]);
  });
});
