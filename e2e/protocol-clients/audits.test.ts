/** Promise: the BFFs pass every audit of GraphQL over HTTP, required and recommended. */
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

describe('every audit of GraphQL over HTTP passes, required and recommended ones', () => {
  let platform: EmbeddedPlatform;

  beforeAll(async () => {
    // The audits send their own documents, which the mobile BFF does not trust.
    platform = await startEmbedded({ TRUSTED_DOCUMENTS_ONLY: '0' });
  });

  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
  });

  for (const bff of ['web', 'mobile']) {
    const audits = serverAudits({ url: () => `${platform.webUrl}/graphql/${bff}` });

    it(`${bff}: there are 61 audits`, () => {
      expect(audits).toHaveLength(61);
    });

    it.each(audits.map((audit) => [audit.id, audit.name, audit] as const))(
      `${bff}: %s %s`,
      async (_id, _name, audit) => {
        const result = await audit.fn();
        const reason = result.status === 'ok' ? '' : `${result.reason}\n${await bodyOf(result.response)}`;
        expect([result.status, reason]).toEqual(['ok', '']);
      },
    );
  }
});

async function bodyOf(response: Response): Promise<string> {
  return response.bodyUsed ? '' : response.text();
}
