import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { fingerprintOf } from './file-fingerprint.ts';

/** Content codings of HTTP that files are served with. */
export type ContentCoding = 'br' | 'gzip' | 'identity';

export interface CachedFile {
  /** Hash of the content, without quotes. */
  readonly etag: string;
  /** Returns the encoded content. Each coding is computed once, at its first use. */
  body(coding: ContentCoding): Promise<Buffer>;
}

interface Entry {
  /** Fingerprint of the file on disk when it was read. */
  readonly fingerprint: string;
  readonly file: CachedFile;
  readonly sizeBytes: number;
}

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);
/** Share of an entry that does not depend on the file's size. */
const ENTRY_OVERHEAD_BYTES = 1_000;

/**
 * Cache of files by path. Evicts the least recently used ones above `maxBytes`. A file that was deleted from disk is
 * served while it is cached, because pages that were loaded before a deployment may still need it.
 */
export class FileCache {
  readonly #entries: LRUCache<string, Entry>;

  /** @param maxBytes memory limit, in which encoded copies of a file count as much as the file. */
  constructor(maxBytes: number) {
    this.#entries = new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ sizeBytes }) => sizeBytes });
  }

  /** Returns the file `name` directly inside `folder`; undefined without one, or when a link leads elsewhere. */
  async get(folder: string, name: string): Promise<CachedFile | undefined> {
    const path = join(folder, name);
    const entry = this.#entries.get(path);
    const fingerprint = await fingerprintOf(path);
    if (entry && (fingerprint === undefined || fingerprint === entry.fingerprint)) return entry.file;
    if (fingerprint === undefined || !(await liesInside(folder, path))) return undefined;
    const content = await readFile(path);
    const file = createCachedFile(content);
    this.#entries.set(path, { fingerprint, file, sizeBytes: content.length * 2 + ENTRY_OVERHEAD_BYTES });
    return file;
  }
}

function createCachedFile(content: Buffer): CachedFile {
  const bodies = new Map<ContentCoding, Promise<Buffer>>();
  return {
    etag: createHash('sha256').update(content).digest('base64url').slice(0, 22),
    body(coding) {
      const body = bodies.get(coding) ?? encode(content, coding);
      bodies.set(coding, body);
      return body;
    },
  };
}

function encode(content: Buffer, coding: ContentCoding): Promise<Buffer> {
  if (coding === 'br') return compressBrotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  return coding === 'gzip' ? compressGzip(content) : Promise.resolve(content);
}

async function liesInside(folder: string, path: string): Promise<boolean> {
  const [inside, actual] = await Promise.all([realpath(folder), realpath(path)]);
  return actual.startsWith(inside + sep);
}
