import type { CommandResult } from '@order-platform/contracts';
import type { CommandOutcomeData } from '@order-platform/bff-shared';

/** The parents of `CommandAccepted` and `CommandRejected`: what the orders service answers a command with. */
export type Accepted = Pick<
  Extract<CommandResult, { status: 'accepted' }>,
  'status' | 'commandId' | 'orderId' | 'token'
>;
export type Rejected = Extract<CommandResult, { status: 'rejected' }>;

export function resolveCommandResultType(result: Accepted | Rejected): 'CommandAccepted' | 'CommandRejected' {
  return result.status === 'accepted' ? 'CommandAccepted' : 'CommandRejected';
}

/** The same result as it comes through the log. */
export function commandResultOf(data: CommandOutcomeData): Accepted | Rejected {
  const { commandId, outcome } = data;
  if (outcome.status === 'rejected') return { status: 'rejected', commandId, reason: outcome.reason };
  return { status: 'accepted', commandId, orderId: data.orderId!, token: outcome.token };
}
