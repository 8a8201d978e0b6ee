import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** Reads the documents that the app was built with, by id. This BFF executes no others. */
export function readTrustedDocuments(folder: URL): ReadonlyMap<string, string> {
  const documents = new Map<string, string>();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.graphql')) continue;
    const text = readFileSync(new URL(file, folder), 'utf8');
    documents.set(documentId(text), text);
  }
  return documents;
}

/** Returns a document's id: the SHA-256 of its text, in hex. */
export function documentId(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
