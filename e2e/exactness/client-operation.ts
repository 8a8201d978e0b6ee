import { ExpectedView, type OperationSpec } from './expected-view.ts';
import { fieldName, ownerOf } from './item-bff.ts';
import type { ItemWriter } from './item-writer.ts';

/** One operation of a client, over all of the client's connections. */
export interface ClientOperation {
  readonly spec: OperationSpec;
  readonly view: ExpectedView;
  cursor: string | undefined;
}

export function createOperation(spec: OperationSpec, writer: ItemWriter): ClientOperation {
  return { spec, view: new ExpectedView(spec, writer), cursor: undefined };
}

/** Error codes after which a client retries. */
const temporaryCodes: ReadonlySet<string> = new Set(['UNAVAILABLE', 'SLOW_CONSUMER', 'DRAINING']);

/** True when every error is one that a client retries after. */
export function isTemporary(errors: unknown): boolean {
  const codes = (errors as { extensions?: { code?: string } }[]).map(({ extensions }) => extensions?.code);
  return codes.every((code) => code !== undefined && temporaryCodes.has(code));
}

/** The subscription document and variables of an operation. */
export function documentOf({ field, overflow, key, slow }: OperationSpec): {
  query: string;
  variables: Record<string, string>;
} {
  const selection = `{ key version text pad ${slow ? 'slow ' : ''}}`;
  const name = fieldName(field, overflow);
  if (field === 'items') return { query: `subscription { ${name} ${selection} }`, variables: {} };
  if (field === 'owned') {
    return {
      query: `subscription ($owner: ID!) { ${name}(owner: $owner) ${selection} }`,
      variables: { owner: ownerOf(key) },
    };
  }
  return { query: `subscription ($key: ID!) { ${name}(key: $key) ${selection} }`, variables: { key } };
}
