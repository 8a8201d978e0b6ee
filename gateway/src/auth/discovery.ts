import { z } from 'zod';
import { metadataBase } from './accepted-issuers.ts';
import { fetchJson } from './fetch-json.ts';

const httpUrl = z.url({ protocol: /^https?$/ });
const metadata = z.object({ issuer: z.string(), jwks_uri: httpUrl });

/**
 * Returns the address of an issuer's keys (OpenID Connect Discovery 1.0, 4).
 *
 * @param timeoutMs deadline in milliseconds.
 * @throws Error when the issuer cannot be reached or its metadata is that of another issuer.
 */
export async function discoverKeysUrl(issuer: string, timeoutMs: number): Promise<string> {
  const url = `${metadataBase(issuer)}/.well-known/openid-configuration`;
  const found = metadata.safeParse(await fetchJson(url, timeoutMs));
  if (!found.success) throw new Error(`${url} is no metadata of an OpenID provider`);
  const { issuer: named, jwks_uri: keysUrl } = found.data;
  if (named !== issuer)
    throw new Error(`${url} names the issuer ${named}, JWT_ISSUER is ${issuer}: they have to be equal`);
  if (issuer.startsWith('https:') && !keysUrl.startsWith('https:'))
    throw new Error(`${url} names keys that are not served over HTTPS`);
  return keysUrl;
}
