import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { Provider } from 'oidc-provider';

const CLIENT = { id: 'robot', secret: 'a secret of the robot, long enough' };
export const AUDIENCE = 'https://api.shop.example';

/** A real OpenID provider on a port of its own, which signs JWT access tokens for one client. */
export class OpenIdProvider {
  #server: Server | undefined;
  #port = 0;
  #key: JWK | undefined;
  #claims: Record<string, unknown> = {};

  /** Starts, or starts again at the same address. Keeps its key. */
  async start(): Promise<void> {
    this.#key ??= await createKey();
    const server = createServer();
    this.#server = server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    server.on('request', createProvider(this.issuer, this.#key, () => this.#claims).callback());
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** Restarts with a new key in place of the old one. */
  async rotate(): Promise<void> {
    await this.stop();
    this.#key = await createKey();
    await this.start();
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Returns an access token with these further claims, from the provider's token endpoint. */
  async issue(claims: Record<string, unknown>): Promise<string> {
    this.#claims = claims;
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${CLIENT.id}:${encodeURIComponent(CLIENT.secret)}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE, scope: 'shop' }),
    });
    const body = (await response.json()) as { access_token?: string };
    if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`);
    return body.access_token;
  }
}

function createProvider(issuer: string, key: JWK, claims: () => Record<string, unknown>): Provider {
  return new Provider(issuer, {
    jwks: { keys: [key] },
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        scope: 'shop',
      },
    ],
    scopes: ['shop'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          ...{ scope: 'shop', audience: AUDIENCE, accessTokenFormat: 'jwt', accessTokenTTL: 60 },
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: claims,
  });
}

async function createKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: 'RS256', use: 'sig' };
}
