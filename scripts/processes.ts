import { postgresSettings } from '@tidegate/database/postgres';
import { kafkaSettings } from '@tidegate/event-log/kafka';
import { gatewaySettings, secretSettings, webhookSettings } from '@tidegate/gateway';
import { redisSettings } from '@tidegate/shared-state/redis';

/**
 * The production deployment as a table: every process, its entry file, its port and the variables it reads.
 * `npm run start:stack` starts it; a test compares it with `docker-compose.yml`.
 */
export interface ProcessSpec {
  readonly name: ProcessName;
  /** Relative to the repository's root. */
  readonly entry: string;
  readonly port: number;
  /** Variables it reads beside `everyProcess`. Only those it needs: no process holds the secret of another one. */
  readonly variables: readonly Variable[];
  /** Further variables, passed on when they are set: see docs/operations.md. */
  readonly optional: readonly string[];
  /** Values that tell processes with the same entry apart. */
  readonly settings: Readonly<Record<string, string>>;
}

export type ProcessName =
  | 'orders'
  | 'inventory'
  | 'payments'
  | 'shipping'
  | 'order-view'
  | 'catalog-view'
  | 'payment-provider'
  | 'gateway-web'
  | 'gateway-mobile'
  | 'dispatcher';

/** Variables that the stack provides. */
export type BackendVariable =
  | 'KAFKA_BROKERS'
  | 'DATABASE_URL'
  | 'REDIS_URL'
  | 'JWT_SECRET'
  | 'CURSOR_SECRETS'
  | 'WEBHOOK_KEYS'
  | 'SERVICE_SECRETS';

/** Variables that hold the address of another process. */
export const addressVariables = {
  ORDERS_URL: 'orders',
  ORDER_VIEW_URL: 'order-view',
  CATALOG_VIEW_URL: 'catalog-view',
  PAYMENT_PROVIDER_URL: 'payment-provider',
} as const satisfies Record<string, ProcessName>;

export type AddressVariable = keyof typeof addressVariables;
export type Variable = BackendVariable | AddressVariable;

/** OTEL_EXPORTER_OTLP_ENDPOINT may be empty: then nothing is exported. */
export const everyProcess = ['HOST', 'PORT', 'LOG_LEVEL', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

const backends: readonly Variable[] = ['KAFKA_BROKERS', 'DATABASE_URL', 'SERVICE_SECRETS'];
const sources: readonly Variable[] = ['ORDERS_URL', 'ORDER_VIEW_URL', 'CATALOG_VIEW_URL'];
const edge: readonly Variable[] = [...backends, 'REDIS_URL', 'WEBHOOK_KEYS', ...sources];
const gateway: readonly Variable[] = [...edge, 'CURSOR_SECRETS', 'JWT_SECRET'];

/** Variables of every process that uses Kafka and Postgres: TLS, login, names, pool. */
const backendOptions = Object.keys({ ...kafkaSettings, ...postgresSettings });
const timeouts = ['HEADERS_TIMEOUT_MS', 'REQUEST_TIMEOUT_MS', 'KEEP_ALIVE_TIMEOUT_MS'];
/** Variables that a process of an entry file reads beside those of every process. */
const optionalOf: Readonly<Record<string, readonly string[]>> = {
  'deployments/gateway.ts': [
    ...Object.keys({ ...gatewaySettings, ...secretSettings, ...webhookSettings, ...redisSettings }),
    'MICROFRONTENDS_DIR',
  ],
  'deployments/dispatcher.ts': Object.keys({ ...webhookSettings, ...redisSettings }),
  'deployments/services/shipping.ts': ['SHIPPING_DISPATCH_MS', 'SHIPPING_DELIVERY_MS', 'TOPIC_PARTITIONS'],
  'deployments/services/inventory.ts': ['DEMO', 'TOPIC_PARTITIONS'],
  'deployments/services/orders.ts': ['TOPIC_PARTITIONS'],
  'deployments/services/payments.ts': ['TOPIC_PARTITIONS'],
  'deployments/services/order-view.ts': ['TOPIC_PARTITIONS'],
  'deployments/services/catalog-view.ts': ['TOPIC_PARTITIONS'],
};

/** In the order of their dependencies. They are stopped in reverse, the edge first. */
export const processes: readonly ProcessSpec[] = [
  described('payment-provider', 'deployments/services/payment-provider.ts', 4107, []),
  described('orders', 'deployments/services/orders.ts', 4101, backends),
  described('inventory', 'deployments/services/inventory.ts', 4102, backends),
  described('payments', 'deployments/services/payments.ts', 4103, [...backends, 'PAYMENT_PROVIDER_URL']),
  described('shipping', 'deployments/services/shipping.ts', 4104, backends),
  described('order-view', 'deployments/services/order-view.ts', 4105, backends),
  described('catalog-view', 'deployments/services/catalog-view.ts', 4106, backends),
  described('gateway-web', 'deployments/gateway.ts', 4000, gateway, { BFFS: 'web' }),
  described('gateway-mobile', 'deployments/gateway.ts', 4001, gateway, { BFFS: 'mobile' }),
  described('dispatcher', 'deployments/dispatcher.ts', 4002, edge),
];

/** Returns the names of all variables of a process, for the comparison with `docker-compose.yml`. */
export function variableNames(spec: ProcessSpec): string[] {
  return [...everyProcess, ...spec.variables, ...Object.keys(spec.settings)].toSorted();
}

export interface Surroundings {
  /** Variables of the stack, and others of docs/operations.md to replace their defaults. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly host: string;
  readonly urlOf: (name: ProcessName) => string;
  readonly portOf: (name: ProcessName) => number;
}

/** Returns the environment of a process. @throws Error that names a variable that the surroundings lack. */
export function environmentOf(spec: ProcessSpec, surroundings: Surroundings): Record<string, string> {
  const { env, host, portOf } = surroundings;
  const environment: Record<string, string> = {
    HOST: host,
    PORT: String(portOf(spec.name)),
    LOG_LEVEL: env['LOG_LEVEL'] || 'info',
    ...spec.settings,
  };
  const collector = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (collector) environment['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector;
  for (const variable of spec.optional) {
    const value = env[variable];
    if (value) environment[variable] = value;
  }
  for (const variable of spec.variables) environment[variable] = valueOf(variable, spec, surroundings);
  return environment;
}

function valueOf(variable: Variable, spec: ProcessSpec, { env, urlOf }: Surroundings): string {
  if (Object.hasOwn(addressVariables, variable)) return urlOf(addressVariables[variable as AddressVariable]);
  const value = env[variable];
  if (!value) throw new Error(`${spec.name} needs ${variable}, and it is not set`);
  return value;
}

function described(
  name: ProcessName,
  entry: string,
  port: number,
  variables: readonly Variable[],
  settings: Readonly<Record<string, string>> = {},
): ProcessSpec {
  const known = [
    ...(optionalOf[entry] ?? []),
    ...(variables.includes('KAFKA_BROKERS') ? backendOptions : []),
  ];
  const optional = [...timeouts, ...known.filter((each) => !(variables as readonly string[]).includes(each))];
  return { name, entry, port, variables, optional, settings };
}
