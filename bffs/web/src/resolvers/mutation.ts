import type { Context } from '@order-platform/bff-shared';
import { randomUUID } from 'node:crypto';
import { cancelOrder, placeOrder, type Actor, type CommandResult } from '@order-platform/contracts';
import { TidegateError } from '@tidegate/core';
import type { MutationResolvers } from '../generated/resolver-types.ts';

export const mutation: MutationResolvers = {
  placeOrder: async (_root, { input }, context) => {
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

function actorOf({ viewer: { role, id } }: Context): Actor {
  if (role === 'customer' || role === 'operator') return { role, id };
  throw new TidegateError('FORBIDDEN', 'Your role sends no commands.');
}

/** Makes the viewer's next reads wait for this write. */
async function rememberWrite(result: CommandResult, context: Context): Promise<CommandResult> {
  if (result.status === 'accepted') await context.consistency.recordWrite(result.token);
  return result;
}
