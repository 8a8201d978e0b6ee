import type { Context } from '@order-platform/bff-shared';
import { randomUUID } from 'node:crypto';
import { cancelOrder, placeOrder, type Actor, type CommandResult } from '@order-platform/contracts';
import { requireRole } from '@tidegate/bff';
import type { MutationResolvers } from '../generated/resolver-types.ts';

export const mutation: MutationResolvers = {
  placeOrder: async (_root, { input }, context) => {
    requireRole(context.viewer, 'customer', 'operator');
    const commandId = input.commandId ?? randomUUID();
    const products = await Promise.all(
      input.lines.map(({ productId }) => context.loaders.products.load(productId)),
    );
    const unknown = input.lines.find((_line, index) => !products[index]);
    if (unknown) {
      // Rejected here, because the orders service needs the price of each product.
      const message = `There is no product "${unknown.productId}".`;
      return { status: 'rejected', commandId, reason: { code: 'UNKNOWN_PRODUCT', message } };
    }
    const result = await context.services.call(placeOrder, {
      commandId,
      actor: actorOf(context),
      customerId: context.viewer.id,
      lines: input.lines.map(({ productId, quantity }, index) => ({
        productId,
        quantity,
        unitPriceCents: products[index]!.price.amountCents,
      })),
      ...(input.note != null && { note: input.note }),
      traceparent: context.traceparent,
    });
    return rememberWrite(result, context);
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
    return rememberWrite(result, context);
  },
};

function actorOf(context: Context): Actor {
  return { role: context.viewer.role === 'operator' ? 'operator' : 'customer', id: context.viewer.id };
}

/** Makes the viewer's next reads wait for this write. */
async function rememberWrite(result: CommandResult, context: Context): Promise<CommandResult> {
  if (result.status === 'accepted') await context.consistency.recordWrite(result.token);
  return result;
}
