/** Script of a page: stock clients over HTTP, without options but the address and the token. */
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';

const ME = '{ me { id } }';
const ORDERS = 'subscription { orders { id version status } }';

export interface Answers {
  /** Data of a query. */
  readonly me: unknown;
  /** Code of a query with an unknown field. */
  readonly refusal: unknown;
}

export async function askWithUrql(url: string, token: string): Promise<Answers> {
  const fetchOptions = { headers: { authorization: `Bearer ${token}` } };
  const client = new Client({ url, exchanges: [fetchExchange], fetchOptions });
  const { data, error } = await client.query(ME, {});
  const refused = await client.query('{ nonsense }', {});
  return {
    me: data ?? error?.message,
    refusal: refused.error?.graphQLErrors[0]?.extensions['code'] ?? refused.error?.message,
  };
}

export async function askWithApollo(uri: string, token: string): Promise<Answers> {
  const client = createApollo(uri, token);
  const { data } = await client.query({ query: gql(ME) });
  const refused = await client.query({ query: gql('{ nonsense }'), errorPolicy: 'all' });
  const { error } = refused;
  const code = error instanceof CombinedGraphQLErrors ? error.errors[0]?.extensions?.['code'] : undefined;
  return { me: data, refusal: code ?? error?.message };
}

/** Versions of each order that a multipart subscription of Apollo Client has delivered. */
export function followWithApollo(uri: string, token: string): Map<string, number[]> {
  const versions = new Map<string, number[]>();
  const changes = createApollo(uri, token).subscribe<{ orders: { id: string; version: number } }>({
    query: gql(ORDERS),
    fetchPolicy: 'no-cache',
  });
  changes.subscribe(({ data }) => {
    if (!data) return;
    const { id, version } = data.orders;
    versions.set(id, [...(versions.get(id) ?? []), version]);
  });
  return versions;
}

function createApollo(uri: string, token: string): ApolloClient {
  const headers = { authorization: `Bearer ${token}` };
  return new ApolloClient({ link: new HttpLink({ uri, headers }), cache: new InMemoryCache() });
}
