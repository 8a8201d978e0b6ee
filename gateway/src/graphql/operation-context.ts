import type { InputOf, OperationDefinition, OutputOf } from '@tidegate/core';
import {
  Consistency,
  type Bff,
  type BffContext,
  type Services,
  type Viewer,
  type LastWriteStore,
} from '@tidegate/bff';
import type { ServiceClient } from '@tidegate/service/operations';
import { childTraceparent } from '@tidegate/runtime/telemetry';

/** Context of one operation: adds its trace and cancellation to every call, and creates loaders on first use. */
export class OperationContext implements BffContext {
  readonly viewer: Viewer;
  readonly services: Services;
  readonly consistency: Consistency;
  readonly #parent: string | undefined;
  #traceparent: string | undefined;
  readonly #createLoaders: Bff['createLoaders'];
  #loaders: unknown;

  constructor(options: {
    viewer: Viewer;
    client: ServiceClient;
    /** Traceparent of the parent span. */
    parent: string | undefined;
    signal?: AbortSignal | undefined;
    /** Store of the viewer's recent writes. Default: reads do not wait for them. */
    lastWrites?: LastWriteStore | undefined;
    createLoaders?: Bff['createLoaders'] | undefined;
  }) {
    const { client, signal } = options;
    const traceparent = (): string => this.traceparent;
    this.viewer = options.viewer;
    this.#parent = options.parent;
    this.#createLoaders = options.createLoaders;
    this.consistency = new Consistency(options.lastWrites);
    this.services = {
      call<Definition extends OperationDefinition>(
        definition: Definition,
        input: InputOf<Definition>,
      ): Promise<OutputOf<Definition>> {
        return client.call(definition, input, { traceparent: traceparent(), ...(signal && { signal }) });
      },
    };
  }

  /** Created on first use: a change that is rendered from its document alone needs no span. */
  get traceparent(): string {
    this.#traceparent ??= childTraceparent(this.#parent);
    return this.#traceparent;
  }

  get loaders(): unknown {
    this.#loaders ??= this.#createLoaders?.(this.services, this.consistency, this.viewer);
    return this.#loaders;
  }
}
