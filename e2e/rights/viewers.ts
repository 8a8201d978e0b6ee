import type { FieldRights } from '@order-platform/bff-shared';
import type { RunningPlatform } from '../harness/running-platform.ts';

/** A viewer that a field is tried as. */
export interface TriedViewer {
  readonly name: string;
  readonly role: keyof FieldRights;
  readonly subject: string;
  /** Customers granted to a partner. */
  readonly customers?: readonly string[];
}

export const VICTIM = 'ada';
export const BYSTANDER = 'bob';

/** Every role, in each relation to the orders of `ada` that its rights can distinguish. */
export const viewers: readonly TriedViewer[] = [
  { name: 'anonymous', role: 'anonymous', subject: '' },
  { name: 'the customer', role: 'customer', subject: VICTIM },
  { name: 'another customer', role: 'customer', subject: BYSTANDER },
  { name: 'a partner with the grant', role: 'partner', subject: 'p-1', customers: [BYSTANDER, VICTIM] },
  { name: 'a partner with another grant', role: 'partner', subject: 'p-2', customers: [BYSTANDER] },
  { name: 'a partner without grants', role: 'partner', subject: 'p-3' },
  { name: 'a partner that is named like the customer', role: 'partner', subject: VICTIM },
  { name: 'an operator', role: 'operator', subject: 'op-1' },
];

export async function tokenOf(platform: RunningPlatform, viewer: TriedViewer): Promise<string | undefined> {
  const { role, subject, customers } = viewer;
  return role === 'anonymous' ? undefined : platform.token(subject, role, customers);
}

/** Returns how a field answers the viewer about the data of `ada`. */
export function expected(viewer: TriedViewer, rights: FieldRights): 'refused' | 'hidden' | 'seen' {
  switch (rights[viewer.role]) {
    case 'refused':
      return 'refused';
    case 'own':
      return viewer.subject === VICTIM ? 'seen' : 'hidden';
    case 'granted':
      return viewer.customers?.includes(VICTIM) ? 'seen' : 'hidden';
    case 'all':
      return 'seen';
  }
}
