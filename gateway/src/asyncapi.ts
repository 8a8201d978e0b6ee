import {
  AccessRevoked,
  CommandOutcome,
  OrderDocumentChanged,
  ProductDocumentChanged,
  orderCommands,
  orderEvents,
  paymentEvents,
  productEvents,
  reservationEvents,
  shipmentEvents,
  type MessageDefinition,
} from '@tidegate/contracts';
import { z } from 'zod';

const catalogue: readonly MessageDefinition[] = [
  ...orderCommands,
  ...orderEvents,
  ...reservationEvents,
  ...productEvents,
  ...paymentEvents,
  ...shipmentEvents,
  CommandOutcome,
  OrderDocumentChanged,
  ProductDocumentChanged,
  AccessRevoked,
];

/** Serves `/asyncapi.json`. */
export function createAsyncApiRoute(): (request: Request) => Promise<Response | undefined> {
  const body = JSON.stringify(createAsyncApi(), null, 2);
  return async (request) => {
    if (new URL(request.url).pathname !== '/asyncapi.json') return undefined;
    return new Response(body, { headers: { 'content-type': 'application/json; charset=utf-8' } });
  };
}

/** Every topic and message of the platform as an AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference). */
function createAsyncApi(): Record<string, unknown> {
  const topics = new Map(catalogue.map(({ topic }) => [topic.name, topic]));
  const channels = [...topics.values()].map((topic) => {
    const messages = catalogue.filter((message) => message.topic.name === topic.name);
    const references = messages.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]);
    return [
      topic.name,
      { address: topic.name, description: topic.description, messages: Object.fromEntries(references) },
    ];
  });
  return {
    asyncapi: '3.0.0',
    info: { title: 'Tidegate order platform', version: '0.1.0', license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(channels),
    components: {
      messages: Object.fromEntries(catalogue.map((message) => [message.name, describe(message)])),
    },
  };
}

function describe(message: MessageDefinition): Record<string, unknown> {
  return {
    name: message.type,
    title: `${message.name} v${message.version}`,
    summary: `Keyed by ${message.key}; a CloudEvents 1.0 envelope in ce_* headers, binary mode.`,
    payload: z.toJSONSchema(message.schema, { io: 'output' }),
  };
}
