import type { ExecutionResult } from 'graphql';
import type { Change } from '../feed/change.ts';
import type { LiveRequest } from '../live-request.ts';
import type { GroupCursors } from '../resume/group-cursors.ts';
import { encodeFrame, type Frame } from './frame.ts';

/** Decides which changes a group wants and renders them: one execution and one serialisation per change. */
export class Rendering {
  readonly #request: LiveRequest;
  readonly #cursors: GroupCursors;

  constructor(request: LiveRequest, cursors: GroupCursors) {
    this.#request = request;
    this.#cursors = cursors;
  }

  /** True for fields of a single key. Their cursors hold a version, which reveals a gap after a resume as well. */
  get isOfOneKey(): boolean {
    return this.#request.field.key !== undefined;
  }

  /**
   * True when the scope sees the change and the field's filter accepts it. A gap is wanted whatever the filter says,
   * because the filter might have accepted a missing version.
   */
  wants(change: Change): boolean {
    return this.#request.scope.sees(change.data) && (change.continuity === 'gap' || this.#matches(change));
  }

  /** Renders a change. Stays synchronous while the execution does: most documents need no further reads. */
  render(change: Change, positions: ReadonlyMap<number, number>): Promise<Frame> | Frame {
    const result = this.#request.render(change.data, change.traceparent);
    if (result instanceof Promise) return result.then((done) => this.#encode(done, change, positions));
    return this.#encode(result, change, positions);
  }

  #encode(result: ExecutionResult, change: Change, positions: ReadonlyMap<number, number>): Frame {
    const { key, version, id, seq, continuity } = change;
    const cursor = this.#cursors.encode(positions, this.isOfOneKey ? version : 0);
    const hidden = continuity === 'gap' && !this.#matches(change);
    return encodeFrame(result, { cursor, kind: 'change', key, version, id }, seq, { continuity, hidden });
  }

  #matches(change: Change): boolean {
    const { field, args } = this.#request;
    return field.matches?.(change.data, args) ?? true;
  }
}
