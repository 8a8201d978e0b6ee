import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** The documents the app was built with, by SHA-256 of their text: all that this BFF executes. */
export function readTrustedDocuments(folder: URL): ReadonlyMap<string, string> {
  const documents = new Map<string, string>();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.graphql')) continue;
    const text = readFileSync(new URL(file, folder), 'utf8');
    documents.set(documentId(text), text);
  }
  return documents;
}

/** A document's id: SHA-256 of its text, hex. */
export function documentId(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
