/** TLS of the connections to the brokers. Texts are in PEM. */
export interface KafkaTls {
  /** Authorities that sign the brokers' certificates. Default: Node's own. */
  readonly ca?: string | undefined;
  /** Certificate of this client, with its chain, for brokers that ask for one. */
  readonly cert?: string | undefined;
  /** Private key of `cert`. */
  readonly key?: string | undefined;
  /** Passphrase of `key`. */
  readonly passphrase?: string | undefined;
  /** Name that the brokers' certificates have to be for. Default: the host of each address. */
  readonly serverName?: string | undefined;
}

/** Login at the brokers (SASL, RFC 4422). */
export type KafkaLogin =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'OAUTHBEARER';
      /** Returns a valid token; called for each connection and again before its session ends. */
      readonly token: () => Promise<string>;
    };

export interface KafkaSecurity {
  /** `true`: TLS by Node's defaults. Default: no TLS. */
  readonly tls?: KafkaTls | boolean | undefined;
  /** Default: no login. */
  readonly login?: KafkaLogin | undefined;
}

/** Returns the options of Node's `tls.connect`; undefined without TLS. */
export function tlsOptions({ tls }: KafkaSecurity): Omit<KafkaTls, 'serverName'> | undefined {
  if (!tls) return undefined;
  if (tls === true) return {};
  const { serverName: _, ...options } = tls;
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Returns the name that the brokers' certificates have to be for; undefined for the host of each address. */
export function tlsServerName({ tls }: KafkaSecurity): string | undefined {
  return typeof tls === 'object' ? tls.serverName : undefined;
}
