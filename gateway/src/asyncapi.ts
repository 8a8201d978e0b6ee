import { AccessRevoked } from './auth/access-revoked.ts';
import { type MessageDefinition } from '@tidegate/core';
import { z } from 'zod';

export interface AsyncApiOptions {
  /** Title of the document, such as the platform's name. */
  readonly title: string;
  /** Messages of the platform. The gateway adds its own. */
  readonly messages: readonly MessageDefinition[];
}

/** Creates the route of `/asyncapi.json`. */
export function createAsyncApiRoute(
  options: AsyncApiOptions,
): (request: Request) => Promise<Response | undefined> {
  const { title, messages } = options;
  const body = JSON.stringify(createAsyncApi(title, [...messages, AccessRevoked]), null, 2);
  return async (request) => {
    if (new URL(request.url).pathname !== '/asyncapi.json') return undefined;
    return new Response(body, { headers: { 'content-type': 'application/json; charset=utf-8' } });
  };
}

/** Describes every topic and message as an AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference). */
function createAsyncApi(title: string, catalogue: readonly MessageDefinition[]): Record<string, unknown> {
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
    info: { title, version: '0.1.0', license: { name: 'Apache-2.0' } },
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
