import { until } from '@tidegate/testing';

export interface GraphqlAnswer<Data> {
  readonly status: number;
  readonly data: Data;
  readonly errors?: { message: string; extensions?: { code?: string } }[];
  readonly extensions?: Record<string, unknown>;
}

/** Sends one GraphQL request over HTTP. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the data's type follows from the document
export async function graphql<Data = Record<string, unknown>>(
  url: string,
  token: string | undefined,
  body: Record<string, unknown>,
): Promise<GraphqlAnswer<Data>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...((await response.json()) as { data: Data }) };
}

const PLACE = `mutation ($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    __typename
    ... on CommandAccepted { commandId orderId token }
    ... on CommandRejected { reason { code message } }
  }
}`;

export interface Placed {
  readonly __typename: 'CommandAccepted';
  readonly commandId: string;
  readonly orderId: string;
  readonly token: string;
}

/** Places an order through the web BFF. @throws Error when it is not accepted. */
export async function placeOrder(
  webUrl: string,
  token: string,
  lines: { productId: string; quantity: number }[],
  commandId?: string,
): Promise<Placed> {
  const input = { lines, ...(commandId !== undefined && { commandId }) };
  const answer = await graphql<{ placeOrder: Placed }>(`${webUrl}/graphql/web`, token, {
    query: PLACE,
    variables: { input },
  });
  const placed = answer.data?.placeOrder;
  if (placed?.__typename !== 'CommandAccepted') throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  return placed;
}

/** Returns the ids of the catalogue's first products, sorted by name; empty before inventory has listed them. */
export async function productIds(webUrl: string, first = 40): Promise<string[]> {
  const answer = await graphql<{ products: { edges: { node: { id: string } }[] } }>(
    `${webUrl}/graphql/web`,
    undefined,
    { query: `{ products(first: ${first}) { edges { node { id } } } }` },
  );
  return answer.data.products.edges.map(({ node }) => node.id);
}

/** Products of the demonstration's catalogue. */
const CATALOGUE_SIZE = 40;

/** Waits until the catalogue is complete and returns its product ids. */
export function waitForCatalogue(webUrl: string, timeoutMs = 30_000): Promise<string[]> {
  return until(
    async () => {
      const ids = await productIds(webUrl);
      return ids.length === CATALOGUE_SIZE && ids;
    },
    { what: 'the catalogue', timeoutMs },
  );
}
