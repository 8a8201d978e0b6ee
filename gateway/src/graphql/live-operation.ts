import { createHash } from 'node:crypto';
import type { BffContext, LiveField, Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import {
  executeSubscriptionEvent,
  getArgumentValues,
  validateSubscriptionArgs,
  type ExecutionResult,
  type FieldNode,
  type GraphQLSchema,
  type SelectionSetNode,
  type ValidatedSubscriptionArgs,
} from 'graphql';
import type { LiveRequest } from '../live/live-request.ts';
import type { PreparedOperation } from './documents.ts';

export interface LiveOperationOptions {
  readonly bffName: string;
  readonly schema: GraphQLSchema;
  /** Number of replacements of the BFF before this schema. */
  readonly generation: number;
  /** Extensions of every message beside those of the hub, such as the cost. Default: none. */
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
  readonly liveFields: Readonly<Record<string, LiveField>>;
  readonly prepared: PreparedOperation;
  readonly viewer: Viewer;
  readonly cursor: string | undefined;
  /** Creates the context of one execution. A change is rendered for the viewer of its scope. */
  readonly createContext: (viewer: Viewer, traceparent: string | undefined) => BffContext;
  readonly maskErrors: (result: ExecutionResult) => ExecutionResult;
}

/** A live request that can be repeated under other rights. */
export interface LiveOperation extends LiveRequest {
  /**
   * Returns the same operation for another viewer, without a cursor. The schema stays the same, even if the BFF has
   * been replaced since.
   *
   * @throws as `createLiveRequest` does.
   */
  forViewer(viewer: Viewer): LiveOperation;
}

/**
 * Creates the hub's request for a subscription operation: the live field, its arguments, the viewer's scope, and the
 * function that renders a document.
 *
 * @throws GraphQLErrors (as AggregateError) for bad variables; TidegateError when the viewer may not subscribe.
 */
export function createLiveRequest(options: LiveOperationOptions): LiveOperation {
  const validated = validateArgs(options);
  const node = rootField(validated);
  const name = node.name.value;
  const field = options.liveFields[name];
  const definition = options.schema.getSubscriptionType()?.getFields()[name];
  if (!field || !definition) {
    throw new TidegateError('BAD_REQUEST', `"${name}" cannot be subscribed to.`);
  }
  // A plain object takes a fifth of the memory of one without a prototype.
  const args = { ...getArgumentValues(definition, node, validated.variableValues) };
  const scope = field.authorise(options.viewer, args);
  // Validated again for the first rendering: one request of a group renders for all, and the rest need not keep it.
  let forRendering: ValidatedSubscriptionArgs | undefined;
  const { extensions } = options;
  const complete = (result: ExecutionResult): ExecutionResult =>
    extensions ? { ...options.maskErrors(result), extensions } : options.maskErrors(result);
  const render = (
    data: unknown,
    traceparent: string | undefined,
  ): Promise<ExecutionResult> | ExecutionResult => {
    const result = executeSubscriptionEvent({
      ...(forRendering ??= validateArgs(options)),
      rootValue: { [name]: data },
      contextValue: options.createContext(scope.viewer, traceparent),
    });
    return result instanceof Promise ? result.then(complete) : complete(result);
  };
  const { snapshot } = field;
  return {
    field,
    args,
    scope,
    fingerprint: fingerprint(options, validated),
    renderingName: `${options.generation}${extensions ? JSON.stringify(extensions) : ''}`,
    render,
    forViewer: (viewer) => createLiveRequest({ ...options, viewer, cursor: undefined }),
    ...(options.cursor !== undefined && { cursor: options.cursor }),
    ...(snapshot && { snapshot: () => snapshot(args, options.createContext(options.viewer, undefined)) }),
  };
}

function validateArgs(options: LiveOperationOptions): ValidatedSubscriptionArgs {
  const validated = validateSubscriptionArgs({
    schema: options.schema,
    document: options.prepared.document,
    operationName: options.prepared.operationName,
    variableValues: options.prepared.variables,
  });
  if ('schema' in validated) return validated;
  throw new AggregateError(validated, 'the operation cannot be executed');
}

/** Returns the root field. Validation guarantees that there is exactly one. */
function rootField(validated: ValidatedSubscriptionArgs): FieldNode {
  const find = (selections: SelectionSetNode): FieldNode | undefined => {
    for (const selection of selections.selections) {
      if (selection.kind === 'Field') return selection;
      const inner =
        selection.kind === 'InlineFragment'
          ? selection.selectionSet
          : validated.fragmentDefinitions[selection.name.value]?.selectionSet;
      const found = inner && find(inner);
      if (found) return found;
    }
    return undefined;
  };
  return find(validated.operation.selectionSet)!;
}

/** Identifies the subscription independently of its viewer: BFF, document, operation and coerced variables. */
function fingerprint(options: LiveOperationOptions, validated: ValidatedSubscriptionArgs): string {
  const variables = stableJson(validated.variableValues.coerced);
  const name = validated.operation.name?.value ?? '';
  return createHash('sha256')
    .update(`${options.bffName}\n${options.prepared.source.hash}\n${name}\n${variables}`)
    .digest('base64url');
}

/** Serialises with sorted keys, so that equal variables give equal text. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
