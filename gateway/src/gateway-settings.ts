import { TidegateError } from '@tidegate/core';
import { addressRanges, flag, origins, text } from '@tidegate/runtime/config';
import { jwtOptionsFrom, jwtSettings, type JwtEnvironmentOptions } from './auth/jwt-settings.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { limitsFrom, limitSettings } from './limits.ts';

/** Environment variables of a gateway's process: the rules and limits of its edge. See `gatewayOptionsFrom`. */
export const gatewaySettings = {
  TRUSTED_DOCUMENTS_ONLY: flag('only registered documents on a BFF that has some').default(true),
  ALLOWED_ORIGINS: origins('pages of other hosts that may use the gateway').optional(),
  TRUSTED_PROXIES: addressRanges('proxies whose X-Forwarded-For is trusted').optional(),
  ...limitSettings,
};

/** Environment variables of the secrets. See `secretsFrom`. */
export const secretSettings = {
  ...jwtSettings,
  CURSOR_SECRETS: text(
    'what cursors are signed with: secrets of at least 32 characters, separated by commas, the newest first',
  ).regex(/^[^,]{32,}(,[^,]{32,})*$/),
};

/** Environment variables of everything that sends webhooks or registers them. See `webhookKeysFrom`. */
export const webhookSettings = {
  WEBHOOK_KEYS: text(
    'what webhook secrets are encrypted with: keys of at least 32 characters, separated by commas, the newest first',
  )
    .regex(/^[^,]{32,}(,[^,]{32,})*$/)
    .optional(),
  WEBHOOK_ALLOW_PRIVATE: flag('webhooks to private addresses: for development only').default(false),
};

type Config<Settings extends Record<string, { readonly _output: unknown }>> = {
  readonly [Name in keyof Settings]?: Settings[Name]['_output'];
};

/** Returns the options of `createGateway` that `gatewaySettings` set. */
export function gatewayOptionsFrom(
  config: Config<typeof gatewaySettings>,
): Pick<GatewayOptions, 'trustedOnly' | 'allowedOrigins' | 'trustedProxies' | 'limits'> {
  return {
    trustedOnly: config.TRUSTED_DOCUMENTS_ONLY ?? true,
    allowedOrigins: config.ALLOWED_ORIGINS ?? [],
    trustedProxies: config.TRUSTED_PROXIES ?? [],
    limits: limitsFrom(config),
  };
}

/**
 * Returns the keys that encrypt the secrets of webhooks.
 *
 * @throws TidegateError CONFIG_INVALID when WEBHOOK_KEYS is not set.
 */
export function webhookKeysFrom({ WEBHOOK_KEYS: keys }: Config<typeof webhookSettings>): readonly string[] {
  if (keys !== undefined) return keys.split(',');
  throw new TidegateError(
    'CONFIG_INVALID',
    'WEBHOOK_KEYS is not set; it expects keys of at least 32 characters, the newest first',
  );
}

/**
 * Returns the keys and rules of tokens and the secrets of cursors.
 *
 * @throws TidegateError CONFIG_INVALID when neither JWT_SECRET nor JWKS_URL is set and JWT_ISSUER names no provider.
 */
export function secretsFrom(config: Config<typeof secretSettings>): {
  readonly jwt: JwtEnvironmentOptions;
  readonly cursorSecrets: readonly string[];
} {
  const jwt = jwtOptionsFrom(config);
  if (!jwt) {
    throw new TidegateError(
      'CONFIG_INVALID',
      'JWT_SECRET is not set; it expects a secret of at least 32 characters, or JWKS_URL in its place, or a JWT_ISSUER whose keys are discovered',
    );
  }
  return { jwt, cursorSecrets: (config.CURSOR_SECRETS ?? '').split(',') };
}
