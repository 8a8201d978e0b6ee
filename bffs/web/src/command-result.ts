import type { CommandResult } from '@order-platform/contracts';
import type { CommandOutcomeData } from '@order-platform/bff-shared';

/** Parents of the types `CommandAccepted` and `CommandRejected`: the answers of the orders service. */
export type Accepted = Pick<
  Extract<CommandResult, { status: 'accepted' }>,
  'status' | 'commandId' | 'orderId' | 'token'
>;
export type Rejected = Extract<CommandResult, { status: 'rejected' }>;

export function resolveCommandResultType(result: Accepted | Rejected): 'CommandAccepted' | 'CommandRejected' {
  return result.status === 'accepted' ? 'CommandAccepted' : 'CommandRejected';
}

/** Returns the result in a CommandOutcome message. */
export function commandResultOf(data: CommandOutcomeData): Accepted | Rejected {
  const { commandId, outcome } = data;
  if (outcome.status === 'rejected') return { status: 'rejected', commandId, reason: outcome.reason };
  return { status: 'accepted', commandId, orderId: data.orderId!, token: outcome.token };
}
