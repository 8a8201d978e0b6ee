import { TidegateError } from '@tidegate/core';
import {
  Kind,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { OperationLimits } from './operation-limits.ts';

/**
 * Checks a parsed document before it is validated: validation takes longer than parsing.
 *
 * @throws TidegateError OPERATION_TOO_COMPLEX that names the limit.
 */
export function requireShapeWithin(document: DocumentNode, limits: OperationLimits): void {
  let aliases = 0;
  let directives = 0;
  let repeated = 0;
  let nesting = 0;
  let deepestValue = 0;
  const nested = {
    enter: () => void (deepestValue = Math.max(deepestValue, ++nesting)),
    leave: () => void (nesting -= 1),
  };
  visit(document, {
    Field: ({ alias }) => void (aliases += alias ? 1 : 0),
    Directive: () => void (directives += 1),
    SelectionSet: (set) => void (repeated += repeatedFieldsOf(set)),
    ListValue: nested,
    ObjectValue: nested,
  });
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).length;
  requireWithin('maxAliases', aliases, limits);
  requireWithin('maxDirectives', directives, limits);
  requireWithin('maxRepeatedFields', repeated, limits);
  requireWithin('maxFragments', fragments, limits);
  requireWithin('maxVariableDepth', deepestValue, limits);
  const reach = new FragmentReach(document);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    requireWithin('maxDocumentDepth', reach.depthOf(definition), limits);
    requireWithin('maxRootFields', reach.rootFieldsOf(definition), limits);
  }
}

/**
 * Fields of a selection that have the name of one before, in it or its inline fragments. Validation compares each with
 * each.
 */
function repeatedFieldsOf(set: SelectionSetNode): number {
  const names = new Set<string>();
  let count = 0;
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      if (selection.kind !== Kind.FIELD) continue;
      count += 1;
      names.add((selection.alias ?? selection.name).value);
    }
  };
  collect(set);
  return count - names.size;
}

/** @throws TidegateError OPERATION_TOO_COMPLEX with `details.limit`, `max` and, where it is known, `found`. */
export function requireWithin(
  limit: keyof OperationLimits,
  found: number,
  limits: Pick<OperationLimits, typeof limit>,
): void {
  if (found > limits[limit]) throw tooComplex(limit, limits[limit], found);
}

/** Returns the error of an operation that passes a limit. */
export function tooComplex(limit: keyof OperationLimits, max: number, found?: number): TidegateError {
  return new TidegateError('OPERATION_TOO_COMPLEX', `The operation passes ${limit}, which is ${max}.`, {
    details: { limit, max, ...(found !== undefined && Number.isFinite(found) && { found }) },
  });
}

/** Depth and root fields of a document that may not be valid. Visits each fragment once, however often it is spread. */
class FragmentReach {
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #depths = new Map<string, number>();
  readonly #rootFields = new Map<string, number>();

  constructor({ definitions }: DocumentNode) {
    for (const each of definitions) {
      if (each.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(each.name.value, each);
    }
  }

  depthOf({ selectionSet }: OperationDefinitionNode): number {
    return this.#depth(selectionSet);
  }

  rootFieldsOf({ selectionSet }: OperationDefinitionNode): number {
    return this.#countFields(selectionSet);
  }

  #depth({ selections }: SelectionSetNode): number {
    const depths = selections.map((selection) => {
      if (selection.kind === Kind.FIELD)
        return 1 + (selection.selectionSet ? this.#depth(selection.selectionSet) : 0);
      if (selection.kind === Kind.INLINE_FRAGMENT) return this.#depth(selection.selectionSet);
      return this.#once(this.#depths, selection.name.value, (set) => this.#depth(set));
    });
    return Math.max(0, ...depths);
  }

  #countFields({ selections }: SelectionSetNode): number {
    return selections.reduce((sum, selection) => {
      if (selection.kind === Kind.FIELD) return sum + 1;
      if (selection.kind === Kind.INLINE_FRAGMENT) return sum + this.#countFields(selection.selectionSet);
      return sum + this.#once(this.#rootFields, selection.name.value, (set) => this.#countFields(set));
    }, 0);
  }

  /** A fragment that spreads itself counts as nothing: validation refuses it. */
  #once(known: Map<string, number>, name: string, measure: (set: SelectionSetNode) => number): number {
    const before = known.get(name);
    if (before !== undefined) return before;
    known.set(name, 0);
    const fragment = this.#fragments.get(name);
    const measured = fragment ? measure(fragment.selectionSet) : 0;
    known.set(name, measured);
    return measured;
  }
}
