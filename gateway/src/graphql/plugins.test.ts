import { defineBff } from '@tidegate/bff';
import { silentLogger } from '@tidegate/runtime/telemetry';
import type { Plugin } from 'graphql-yoga';
import { expect, it } from 'vitest';
import { createBffServers } from './create-bff-servers.ts';

const bff = defineBff({
  name: 'things',
  typeDefs: 'type Query { thing: String } type Mutation { change: String }',
  resolvers: { Query: { thing: () => 'found' }, Mutation: { change: () => 'changed' } },
  liveFields: {},
});

it('Yoga plugins wrap the execution of queries and mutations', async () => {
  const executed: string[] = [];
  const plugin: Plugin = {
    onExecute: ({ args }) => {
      executed.push(args.operationName ?? 'unnamed');
      return {
        onExecuteDone: ({ setResult, result }) => setResult({ ...result, extensions: { traced: true } }),
      };
    },
  };
  const [server] = createBffServers({
    bffs: [bff],
    logger: silentLogger,
    trustedOnly: true,
    plugins: [plugin],
  });
  const facts = { viewer: { role: 'anonymous', id: '' }, traceparent: undefined };
  const query = await server!.execute({ query: 'query Find { thing }', operationName: 'Find' }, facts);
  const mutation = await server!.execute({ query: 'mutation { change }' }, facts);
  expect(query).toEqual({ data: { thing: 'found' }, extensions: { traced: true } });
  expect(mutation).toMatchObject({ data: { change: 'changed' } });
  expect(executed).toEqual(['Find', 'unnamed']);
});

it('an aborted query ends with the abort', async () => {
  const hanging = defineBff({
    name: 'hanging',
    typeDefs: 'type Query { thing: String }',
    resolvers: { Query: { thing: () => new Promise(() => undefined) } },
    liveFields: {},
  });
  const [server] = createBffServers({ bffs: [hanging], logger: silentLogger, trustedOnly: true });
  const departure = new AbortController();
  const facts = { viewer: { role: 'anonymous', id: '' }, traceparent: undefined };
  const result = server!.execute({ query: '{ thing }' }, facts, departure.signal);
  departure.abort();
  await expect(result).resolves.toEqual({ data: null });
});
