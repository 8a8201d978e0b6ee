import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import * as documents from './documents.ts';

const schemaUrl = new URL('../../../bffs/web/src/schema.graphql', import.meta.url);
const schema = buildSchema(readFileSync(schemaUrl, 'utf8'));

it.each(Object.entries(documents))('%s fits the web schema', (_name, text) => {
  expect(validate(schema, parse(text)).map(({ message }) => message)).toEqual([]);
});
