import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

export type Encoding = 'br' | 'gzip' | 'identity';

export interface CachedFile {
  readonly etag: string;
  /** The file, or the file packed: packed once, at the first asking. */
  body(encoding: Encoding): Promise<Buffer>;
}

interface Entry {
  readonly seen: string;
  readonly file: CachedFile;
  readonly budgetBytes: number;
}

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

/**
 * Files by path, at most `maxBytes` of them in memory; what was not asked for longest goes first. A file that has
 * vanished from disk is still served while it is here: pages that were loaded before a deployment may ask for it.
 */
export class FileCache {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The file `name` right inside `folder`; undefined when there is none, or when a link leads elsewhere. */
  async get(folder: string, name: string): Promise<CachedFile | undefined> {
    const path = join(folder, name);
    const entry = this.#entries.get(path);
    const seen = await fingerprint(path);
    if (entry && (seen === undefined || seen === entry.seen)) {
      this.#entries.delete(path);
      this.#entries.set(path, entry);
      return entry.file;
    }
    if (seen === undefined || !(await liesInside(folder, path))) return undefined;
    const content = await readFile(path);
    const file = describeFile(content);
    this.#keep(path, { seen, file, budgetBytes: content.length * 2 + 1_000 });
    return file;
  }

  #keep(path: string, entry: Entry): void {
    this.#forget(path);
    if (entry.budgetBytes > this.#maxBytes) return;
    this.#entries.set(path, entry);
    this.#bytes += entry.budgetBytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forget(oldest);
    }
  }

  #forget(path: string): void {
    const entry = this.#entries.get(path);
    if (!entry) return;
    this.#entries.delete(path);
    this.#bytes -= entry.budgetBytes;
  }
}

function describeFile(content: Buffer): CachedFile {
  const packed = new Map<Encoding, Promise<Buffer>>();
  return {
    etag: createHash('sha256').update(content).digest('base64url').slice(0, 22),
    body(encoding) {
      const known = packed.get(encoding) ?? pack(content, encoding);
      packed.set(encoding, known);
      return known;
    },
  };
}

function pack(content: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'br') return brotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  return encoding === 'gzip' ? gzipped(content) : Promise.resolve(content);
}

async function fingerprint(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? `${stats.mtimeMs} ${stats.size}` : undefined;
  } catch {
    return undefined;
  }
}

async function liesInside(folder: string, path: string): Promise<boolean> {
  const [inside, actual] = await Promise.all([realpath(folder), realpath(path)]);
  return actual.startsWith(inside + sep);
}
