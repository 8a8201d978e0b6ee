/** Promise: after an outage of the log, the database or Redis every process becomes ready again without a restart. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { delay } from '@tidegate/runtime/resilience';
import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processes, type ProcessName } from '../../scripts/processes.ts';
import { graphql, placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import {
  realStackFromEnv,
  startEmbedded,
  startOnStack,
  type EmbeddedPlatform,
  type RunningPlatform,
  type StackPlatform,
} from '../harness/running-platform.ts';
import { watchSse } from '../harness/watch.ts';
import { OwnStack, type BackendName } from './own-stack.ts';

/** Longer than the readiness probe may be silent, which is 15 s. */
const OUTAGE_MS = 16_000;
const RECOVERY_MS = 45_000;

const isReady = async (url: string): Promise<boolean> => {
  const response = await fetch(`${url}/readyz`).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status === 200;
};

/** Places an order and waits until it is delivered, seen by a query and by a subscription. */
async function expectOrdersToFlow(platform: RunningPlatform, productId: string): Promise<void> {
  const customer = await platform.token('anna', 'customer');
  const changes = watchSse(`${platform.webUrl}/graphql/web`, customer, {
    query: 'subscription { orders { id status } }',
  });
  const placed = await until(
    () => placeOrder(platform.webUrl, customer, [{ productId, quantity: 1 }]).catch(() => undefined),
    { what: 'an order to be accepted', timeoutMs: RECOVERY_MS },
  );
  const query = '{ orders(first: 100) { edges { node { id status } } } }';
  await until(
    async () => {
      const answer = await graphql<{ orders: { edges: { node: { id: string; status: string } }[] } }>(
        `${platform.webUrl}/graphql/web`,
        customer,
        { query },
      );
      return answer.data?.orders.edges.some(
        ({ node }) => node.id === placed.orderId && node.status === 'DELIVERED',
      );
    },
    { what: 'the order to be delivered', timeoutMs: RECOVERY_MS },
  );
  await until(() => changes.messages.some(({ key }) => key === placed.orderId), {
    what: 'the change of the order on the stream',
    timeoutMs: RECOVERY_MS,
  });
  changes.stop();
}

/** Texts of databases, addresses, paths and stacks. */
const INNER_TEXT =
  /ECONN|EPIPE|(?:\d+\.){3}\d+:\d+|\/(?:tmp|home|root|srv|var)\/|sqlite|no such|records_away|postgres|kafka|redis|\n +at /i;

/** Sends every kind of request and expects no answer to contain a text of the inside. */
async function expectNoInnerText(platform: RunningPlatform, productId: string): Promise<void> {
  const [customer, partner, operator] = await Promise.all([
    platform.token('anna', 'customer'),
    platform.token('acme', 'partner'),
    platform.token('olga', 'operator'),
  ]);
  const place = 'mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { __typename } }';
  const input = { lines: [{ productId, quantity: 1 }] };
  const requests: [bearer: string, path: string, body?: object, accept?: string][] = [
    [customer, '/graphql/web', { query: '{ orders(first: 1) { edges { node { id } } } }' }],
    [customer, '/graphql/web', { query: place, variables: { input } }],
    [customer, '/graphql/web', { query: '{ products(first: 1) { edges { node { id } } } }' }],
    [customer, '/graphql/web', { query: 'subscription { orders { id } }' }, 'text/event-stream'],
    [partner, '/webhooks/endpoints'],
    [
      partner,
      '/webhooks/endpoints',
      { url: 'http://127.0.0.1:9/', document: 'subscription { orders { id } }' },
    ],
    [operator, '/api/access/revocations', { tokenId: 'a token that nobody has' }],
  ];
  const answers = await Promise.all(
    requests.map(async ([bearer, path, body, accept = 'application/json']) => {
      const headers = { authorization: `Bearer ${bearer}`, accept, 'content-type': 'application/json' };
      const request = { headers, signal: AbortSignal.timeout(8_000), method: body ? 'POST' : 'GET' };
      const response = fetch(`${platform.webUrl}${path}`, {
        ...request,
        ...(body && { body: JSON.stringify(body) }),
      });
      return response.then((answer) => answer.text()).catch(() => '');
    }),
  );
  const errors = answers.filter((text) => text.includes('"code"'));
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.filter((text) => INNER_TEXT.test(text))).toEqual([]);
}

/** Cuts the log of the embedded default until that is noticed, and mends it. Rejects when a promise is broken. */
async function cutEmbeddedLog(platform: EmbeddedPlatform): Promise<void> {
  const [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
  const { pid } = platform.child;
  const file = new DatabaseSync(join(platform.dataDir, 'event-log.sqlite'), { timeout: 10_000 });
  // Every read and write of a record fails.
  file.exec('ALTER TABLE records RENAME TO records_away');
  await until(async () => !(await isReady(platform.webUrl)), {
    what: 'the outage to be noticed',
    timeoutMs: OUTAGE_MS + 10_000,
  });
  await expectNoInnerText(platform, productId);
  file.exec('ALTER TABLE records_away RENAME TO records');
  file.close();
  await until(() => isReady(platform.webUrl), { what: 'the process to be ready', timeoutMs: RECOVERY_MS });
  await expectOrdersToFlow(platform, productId);
  expect(platform.child.pid).toBe(pid);
}

// Runs beside the tests of the real stack, which mostly wait.
let embedded: EmbeddedPlatform | undefined;
let embeddedOutage: Promise<unknown> | undefined;
beforeAll(async () => {
  embedded = await startEmbedded();
  embeddedOutage = cutEmbeddedLog(embedded).catch((error: unknown) => error);
});
afterAll(() => embedded?.[Symbol.asyncDispose]());

describe.skipIf(realStackFromEnv() === undefined)('every process after an outage', () => {
  let stack: OwnStack;
  let platform: StackPlatform;
  let productId: string;
  let pids: readonly (number | undefined)[];

  const pidsNow = (): (number | undefined)[] => processes.map(({ name }) => platform.processes.pid(name));
  const readyProcesses = async (): Promise<ProcessName[]> => {
    const { urls } = platform.processes;
    const ready = await Promise.all(processes.map(({ name }) => isReady(urls[name])));
    return processes.filter((_, index) => ready[index]).map(({ name }) => name);
  };

  beforeAll(async () => {
    stack = await OwnStack.start();
    platform = await startOnStack(stack.env, { restarts: false, portOffset: 21_000 });
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
    pids = pidsNow();
  }, 150_000);

  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
    await stack?.[Symbol.asyncDispose]();
  });

  it('of Redis was ready all the time', async () => {
    await stack.cut('Redis');
    const all = processes.map(({ name }) => name);
    for (let second = 0; second < 5; second++) {
      expect(await readyProcesses()).toEqual(all);
      await delay(1_000);
    }
    await expectOrdersToFlow(platform, productId);
    await stack.mend();
    expect(await readyProcesses()).toEqual(all);
    expect(pidsNow()).toEqual(pids);
  });

  it.each<BackendName>(['Postgres', 'Kafka'])(
    'of %s is ready again without a restart, and orders flow',
    async (name) => {
      await stack.cut(name);
      await Promise.all([
        delay(OUTAGE_MS),
        expectNoInnerText(platform, productId),
        until(async () => !(await readyProcesses()).includes('gateway-web'), {
          what: 'the outage to be noticed',
          timeoutMs: OUTAGE_MS,
        }),
      ]);
      await stack.mend();
      await platform.processes.ready({ timeoutMs: RECOVERY_MS });
      await expectOrdersToFlow(platform, productId);
      expect(pidsNow()).toEqual(pids);
    },
  );
});

it('the embedded default is ready again after an outage of its log without a restart, and orders flow', async () => {
  expect(await embeddedOutage).toBeUndefined();
});
