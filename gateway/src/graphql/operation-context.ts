import type { InputOf, OperationDefinition, OutputOf } from '@tidegate/contracts';
import {
  Consistency,
  createLoaders,
  type BffContext,
  type Loaders,
  type Services,
  type Viewer,
  type WriteMemory,
} from '@tidegate/bff';
import type { ServiceClient } from '@tidegate/service-api';

/** One operation's context: binds its trace and cancellation to every call; makes loaders only when asked. */
export class OperationContext implements BffContext {
  readonly viewer: Viewer;
  readonly services: Services;
  readonly consistency: Consistency;
  readonly traceparent: string;
  #loaders: Loaders | undefined;

  constructor(options: {
    viewer: Viewer;
    client: ServiceClient;
    traceparent: string;
    signal?: AbortSignal | undefined;
    memory?: WriteMemory | undefined;
  }) {
    const { client, signal, traceparent } = options;
    this.viewer = options.viewer;
    this.traceparent = traceparent;
    this.consistency = new Consistency(options.memory);
    this.services = {
      call<Definition extends OperationDefinition>(
        definition: Definition,
        input: InputOf<Definition>,
      ): Promise<OutputOf<Definition>> {
        return client.call(definition, input, { traceparent, ...(signal && { signal }) });
      },
    };
  }

  get loaders(): Loaders {
    this.#loaders ??= createLoaders(this.services, this.consistency);
    return this.#loaders;
  }
}
