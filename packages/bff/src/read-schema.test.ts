import { mkdirSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { temporaryDirectory } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { readSchema } from './read-schema.ts';

describe('readSchema', () => {
  it('joins the .graphql files of a folder in the order of their names', async () => {
    await using directory = await temporaryDirectory();
    writeFileSync(`${directory.path}/b.graphql`, 'type B { id: ID! }\n');
    writeFileSync(`${directory.path}/a.graphql`, 'type A { id: ID! }\n');
    writeFileSync(`${directory.path}/notes.md`, 'not SDL');
    mkdirSync(`${directory.path}/documents`);
    expect(readSchema(pathToFileURL(`${directory.path}/`))).toBe(
      'type A { id: ID! }\n\ntype B { id: ID! }\n',
    );
  });

  it('refuses a folder without a schema', async () => {
    await using directory = await temporaryDirectory();
    expect(() => readSchema(pathToFileURL(`${directory.path}/`))).toThrow('holds no .graphql file');
  });
});
