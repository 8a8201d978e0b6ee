import type { Context } from '@order-platform/bff-shared';
import { randomUUID } from 'node:crypto';
import { cancelOrder, placeOrder, type Actor, type CommandResult } from '@order-platform/contracts';
import { requireRole } from '@tidegate/bff';
import type { MutationResolvers } from '../generated/resolver-types.ts';

export const mutation: MutationResolvers = {
  placeOrder: async (_root, { input }, context) => {
    requireRole(context.viewer, 'customer', 'operator');
    const commandId = input.commandId ?? randomUUID();
    const products = await context.loaders.products.loadMany(input.lines.map((line) => line.productId));
    const lines = input.lines.map((line, index) => ({ ...line, product: products[index] }));
    const failed = lines.find((line) => line.product instanceof Error);
    if (failed) throw failed.product as Error;
    const unknown = lines.find((line) => !line.product);
    if (unknown) {
      // Refused before any service owns the command: without a price there is nothing to place.
      const message = `There is no product "${unknown.productId}".`;
      return { status: 'rejected', commandId, reason: { code: 'UNKNOWN_PRODUCT', message } };
    }
    const result = await context.services.call(placeOrder, {
      commandId,
      actor: actorOf(context),
      customerId: context.viewer.id,
      lines: lines.map(({ productId, quantity, product }) => ({
        productId,
        quantity,
        unitPriceCents: (product as { price: { amountCents: number } }).price.amountCents,
      })),
      ...(input.note != null && { note: input.note }),
      traceparent: context.traceparent,
    });
    return remembered(result, context);
  },

  cancelOrder: async (_root, { input }, context) => {
    requireRole(context.viewer, 'customer', 'operator');
    const result = await context.services.call(cancelOrder, {
      commandId: input.commandId ?? randomUUID(),
      actor: actorOf(context),
      orderId: input.orderId,
      reason: input.reason ?? 'Cancelled by the customer',
      traceparent: context.traceparent,
    });
    return remembered(result, context);
  },
};

function actorOf(context: Context): Actor {
  return { role: context.viewer.role === 'operator' ? 'operator' : 'customer', id: context.viewer.id };
}

async function remembered(result: CommandResult, context: Context): Promise<CommandResult> {
  if (result.status === 'accepted') await context.consistency.wrote(result.token);
  return result;
}
