import { createClient, type Client } from 'graphql-ws';

export interface GraphqlAnswer {
  readonly status: number;
  readonly data?: Record<string, never> | null;
  readonly errors?: { message: string; extensions?: { code?: string } }[];
  readonly extensions?: Record<string, unknown>;
}

/** One GraphQL request over HTTP. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what its document answers
export async function graphql<Data = Record<string, unknown>>(
  url: string,
  token: string | undefined,
  body: Record<string, unknown>,
): Promise<{
  status: number;
  data: Data;
  errors?: GraphqlAnswer['errors'];
  extensions?: Record<string, unknown>;
}> {
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

/** Places an order through the web BFF. @throws Error when it was not accepted. */
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

/** The ids of the first products of the catalogue, once it has some. */
export async function productIds(webUrl: string, first = 40): Promise<string[]> {
  const answer = await graphql<{ products: { edges: { node: { id: string } }[] } }>(
    `${webUrl}/graphql/web`,
    undefined,
    {
      query: `{ products(first: ${first}) { edges { node { id } } } }`,
    },
  );
  return answer.data.products.edges.map(({ node }) => node.id);
}

export interface Seen {
  readonly id?: string | undefined;
  readonly key: string;
  readonly version: number;
  readonly kind: string;
  readonly cursor: string;
  readonly data: Record<string, never>;
}

function seen(result: { data?: unknown; extensions?: unknown; errors?: unknown }): Seen {
  if (result.errors) throw new Error(`the subscription failed: ${JSON.stringify(result.errors)}`);
  return { ...(result.extensions as Omit<Seen, 'data'>), data: result.data as Seen['data'] };
}

/** A graphql-ws client of one BFF; it does not retry by itself. */
export function webSocketClient(url: string, token: string): Client {
  return createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    lazy: true,
  });
}

/** Subscribes over WebSocket and keeps all that comes. `closed` resolves when it ended, however it did. */
export function watchWebSocket(
  client: Client,
  payload: { query: string; variables?: Record<string, unknown>; extensions?: Record<string, unknown> },
): { readonly seen: Seen[]; readonly closed: Promise<unknown>; stop(): void } {
  const all: Seen[] = [];
  let stop = (): void => undefined;
  const closed = new Promise<unknown>((resolve) => {
    stop = client.subscribe(payload, {
      next: (result) => all.push(seen(result)),
      error: resolve,
      complete: () => resolve(undefined),
    });
  });
  return { seen: all, closed, stop: () => stop() };
}

/** Subscribes over Server-Sent Events with plain `fetch` and keeps all that comes. */
export function watchSse(
  url: string,
  token: string,
  payload: { query: string; variables?: Record<string, unknown> },
  lastEventId?: string,
): { readonly seen: Seen[]; readonly closed: Promise<unknown>; stop(): void } {
  const all: Seen[] = [];
  const controller = new AbortController();
  const closed = read().catch((error: unknown) => error);

  async function read(): Promise<void> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
      body: JSON.stringify(payload),
      signal: controller.signal,
    });
    if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop()!;
      for (const event of events) take(event);
    }
  }

  function take(event: string): void {
    const fields = new Map(event.split('\n').map((line) => splitField(line)));
    const data = fields.get('data');
    if (fields.get('event') !== 'next' || !data) return;
    const message = seen(JSON.parse(data) as object);
    if (fields.get('id') !== message.cursor) throw new Error('the event id is not the cursor');
    all.push(message);
  }

  return { seen: all, closed, stop: () => controller.abort() };
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
}
