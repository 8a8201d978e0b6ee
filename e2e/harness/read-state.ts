import { graphql } from './graphql.ts';

export interface Stock {
  readonly available: number;
  readonly reserved: number;
}

export interface Order {
  readonly id: string;
  readonly version: number;
  readonly status: string;
  readonly lines: readonly { productId: string; quantity: number }[];
}

interface OrderPage {
  readonly edges: readonly { node: Order }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const ORDERS = `query ($after: String) { orders(first: 100, after: $after) {
  edges { node { id version status lines { productId quantity } } } pageInfo { hasNextPage endCursor }
} }`;

/** Reads all orders, page by page. */
export async function readOrders(webUrl: string, operatorToken: string): Promise<Order[]> {
  const found: Order[] = [];
  for (let after: string | null = null; ;) {
    const answer: { data: { orders: OrderPage } } = await graphql(`${webUrl}/graphql/web`, operatorToken, {
      query: ORDERS,
      variables: { after },
    });
    found.push(...answer.data.orders.edges.map(({ node }) => node));
    if (!answer.data.orders.pageInfo.hasNextPage) return found;
    after = answer.data.orders.pageInfo.endCursor;
  }
}

/** Reads the stock of all products, by product id. */
export async function readStocks(webUrl: string, operatorToken: string): Promise<Map<string, Stock>> {
  const answer = await graphql<{ products: { edges: { node: { id: string; stock: Stock } }[] } }>(
    `${webUrl}/graphql/web`,
    operatorToken,
    { query: '{ products(first: 100) { edges { node { id stock { available reserved } } } } }' },
  );
  return new Map(answer.data.products.edges.map(({ node }) => [node.id, node.stock]));
}
