import { describe, expect, it } from 'vitest';
import { scopeOf } from './access.ts';

describe('the scope of granted customers', () => {
  const scopeIdOf = (...customerIds: string[]): string =>
    scopeOf({ role: 'partner', id: 'acme' }, { kind: 'customers', customerIds }).id;

  it('is the same for the same customers only, also when ids hold spaces', () => {
    expect(scopeIdOf('samlp|corp|Jane Doe')).toBe(scopeIdOf('samlp|corp|Jane Doe'));
    expect(scopeIdOf('samlp|corp|Jane Doe')).not.toBe(scopeIdOf('samlp|corp|Jane', 'Doe'));
    expect(scopeIdOf('a","b')).not.toBe(scopeIdOf('a', 'b'));
  });
});
