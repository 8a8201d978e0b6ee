import { LiveClientError, type LiveClient } from '@tidegate/live-client';
import { cancelOrderMutation, placeOrderMutation } from './documents.ts';
import type { Rejection } from './order.ts';

export type Outcome =
  | { readonly status: 'accepted'; readonly orderId: string }
  | { readonly status: 'rejected'; readonly reason: Rejection }
  /** No answer: the command may have been carried out. Retry with the same command id, which is idempotent. */
  | { readonly status: 'unknown'; readonly reason: Rejection };

interface CommandResult {
  readonly orderId?: string;
  readonly reason?: Rejection;
}

export interface PlaceOrderInput {
  readonly commandId: string;
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[];
  readonly note?: string;
}

export function placeOrder(client: LiveClient, input: PlaceOrderInput): Promise<Outcome> {
  return run(client, placeOrderMutation, { ...input });
}

export function cancelOrder(
  client: LiveClient,
  input: { readonly commandId: string; readonly orderId: string },
): Promise<Outcome> {
  return run(client, cancelOrderMutation, { ...input });
}

/** `randomUUID` needs a secure context; a demo on a LAN address over HTTP has none. */
export function newCommandId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `web-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

async function run(client: LiveClient, query: string, input: Record<string, unknown>): Promise<Outcome> {
  try {
    const { data } = await client.query<Record<string, CommandResult>>({ query, variables: { input } });
    const result = Object.values(data ?? {})[0];
    if (result?.reason) return { status: 'rejected', reason: result.reason };
    return { status: 'accepted', orderId: result?.orderId ?? '' };
  } catch (error) {
    if (!(error instanceof LiveClientError)) throw error;
    const reason = { code: error.code, message: error.message };
    return { status: error.retryable ? 'unknown' : 'rejected', reason };
  }
}
