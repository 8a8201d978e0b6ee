import { jwtOptionsFrom, type JwtSettings, type Route } from '@tidegate/gateway';
import { devSecret } from '@tidegate/runtime/dev-secret';
import { createDevLogin, noDevLogin } from './dev-login.ts';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

export interface SecretsConfig extends JwtSettings {
  readonly HOST: string;
  readonly DEV_LOGIN: boolean;
  readonly CURSOR_SECRETS?: string | undefined;
  readonly WEBHOOK_KEYS?: string | undefined;
}

/**
 * Returns the keys of tokens, cursors and webhook secrets: those of the environment, else development secrets of the data folder. The
 * login of developers signs with a development secret only, and only while the process listens on loopback.
 */
export async function readSecrets(config: SecretsConfig, dataDir: string) {
  const ownKeys = jwtOptionsFrom(config);
  const cursorSecrets = config.CURSOR_SECRETS ?? (await devSecret(dataDir, 'dev-cursor-secret'));
  const webhookKeys = config.WEBHOOK_KEYS ?? (await devSecret(dataDir, 'dev-webhook-key'));
  const shared = { cursorSecrets: cursorSecrets.split(','), webhookKeys: webhookKeys.split(',') };
  if (ownKeys) return { ...shared, jwt: ownKeys, login: noDevLogin };
  const secret = await devSecret(dataDir);
  const login: Route =
    config.DEV_LOGIN && LOOPBACK.includes(config.HOST) ? createDevLogin(secret) : noDevLogin;
  return { ...shared, jwt: { secret }, login };
}
