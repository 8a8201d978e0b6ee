import type { LiveClient } from '@tidegate/live-client';
import { boardQuery, countsQuery, lanePageQuery } from './documents.ts';
import { lanes, perLane, type LaneId, type PerLane } from './lanes.ts';
import type { Order } from './order.ts';

/** Orders of one page of a lane, and of how many the page is. */
interface OrderPage {
  readonly totalCount: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly edges: readonly { readonly node: Order }[];
}

/** Answer of the server: the newest orders of each lane, and the number of all. */
export interface BoardPages {
  readonly orders: readonly Order[];
  readonly counts: PerLane;
}

/** Cards of a lane at first, and further cards of each "Show more". */
export const PAGE_SIZE = 20;
/** Maximum page size of the server. */
const MAX_PAGE = 100;

/**
 * Queries the newest orders of each lane, at least `limits` of them where there are so many.
 *
 * @throws as `LiveClient.query` does.
 */
export async function queryBoard(
  client: LiveClient,
  limits: PerLane,
  signal: AbortSignal,
): Promise<BoardPages> {
  const variables = { first: PAGE_SIZE };
  const { data } = await client.query<Record<LaneId, OrderPage>>({ query: boardQuery, variables, signal });
  if (!data) return { orders: [], counts: perLane(() => 0) };
  const pages = await Promise.all(
    lanes.map(async ({ id }) => [
      data[id],
      ...(await furtherPages(client, id, data[id], limits[id], signal)),
    ]),
  );
  return {
    orders: pages.flat().flatMap(({ edges }) => edges.map(({ node }) => node)),
    counts: perLane((lane) => data[lane].totalCount),
  };
}

/** Queries the number of orders in each lane. @throws as `LiveClient.query` does. */
export async function queryCounts(client: LiveClient, signal: AbortSignal): Promise<PerLane> {
  const { data } = await client.query<Record<LaneId, { readonly totalCount: number }>>({
    query: countsQuery,
    signal,
  });
  return perLane((lane) => data?.[lane].totalCount ?? 0);
}

async function furtherPages(
  client: LiveClient,
  lane: LaneId,
  first: OrderPage,
  limit: number,
  signal: AbortSignal,
): Promise<OrderPage[]> {
  const status = lanes.find(({ id }) => id === lane)?.statuses;
  const pages: OrderPage[] = [];
  let last = first;
  for (let count = first.edges.length; count < limit && last.pageInfo.hasNextPage;) {
    const variables = {
      first: Math.min(MAX_PAGE, limit - count),
      after: last.pageInfo.endCursor,
      status,
    };
    const { data } = await client.query<{ page: OrderPage }>({ query: lanePageQuery, variables, signal });
    if (!data || data.page.edges.length === 0) break;
    last = data.page;
    count += last.edges.length;
    pages.push(last);
  }
  return pages;
}
