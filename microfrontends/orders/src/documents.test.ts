import { readSchema } from '@tidegate/bff';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import * as documents from './documents.ts';

const schema = buildSchema(readSchema(new URL('../../../bffs/web/src/schema/', import.meta.url)));

it.each(Object.entries(documents))('%s fits the web schema', (_name, text) => {
  expect(validate(schema, parse(text)).map(({ message }) => message)).toEqual([]);
});
