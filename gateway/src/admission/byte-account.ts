import type { DocumentNode } from 'graphql';
import { documentBytes, type OperationBytes } from './operation-bytes.ts';

/** Bytes that the operations of one holder take together. A document counts once, however many operations share it. */
export class ByteAccount {
  #bytes = 0;
  /** Number of operations by document; created by the first one, because most connections are many and small. */
  #documents: Map<DocumentNode, number> | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns the size of the account with one more operation. */
  with({ own, document }: OperationBytes): number {
    return this.#bytes + own + (this.#documents?.has(document) ? 0 : documentBytes(document));
  }

  /** Adds an operation until `remove`. */
  add(operation: OperationBytes): void {
    const { document } = operation;
    this.#bytes = this.with(operation);
    this.#documents ??= new Map();
    this.#documents.set(document, (this.#documents.get(document) ?? 0) + 1);
  }

  /** Removes an operation that was added, once. */
  remove({ own, document }: OperationBytes): void {
    this.#bytes -= own;
    const sharing = this.#documents!.get(document)! - 1;
    if (sharing > 0) return void this.#documents!.set(document, sharing);
    this.#documents!.delete(document);
    this.#bytes -= documentBytes(document);
  }
}
