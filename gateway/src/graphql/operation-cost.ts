import type { BffCost, FieldCost } from '@tidegate/bff';
import {
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

const ROOT_FIELD_WEIGHT = 1;
const FIELD_WEIGHT = 0.05;
const ITEM_WEIGHT = 1;
/** Introspection resolves from memory: a field takes about a fifth of another one's time. */
const INTROSPECTION_WEIGHT = 0.01;
const DEFAULT_LIST_SIZE = 10;
const PAGE_ARGUMENTS = ['first', 'last', 'limit'];

/** Cost of one operation, and whether it is the same for all variables. */
export interface OperationCost {
  readonly cost: number;
  readonly isConstant: boolean;
}

/**
 * Costs of the operations of one schema. A field costs its weight and its selection; a list multiplies its selection
 * by its length, and a page its items. The length is a page argument's value (of the field, or of the field above,
 * as in `products(first: 50) { edges { … } }`), or the BFF's declaration, or the default.
 */
export class CostModel {
  readonly #schema: GraphQLSchema;
  readonly #fields: Readonly<Record<string, FieldCost>>;
  readonly #defaultListSize: number;
  readonly #pageArguments: readonly string[];
  readonly #introspection: ReadonlyMap<string, number>;

  constructor(schema: GraphQLSchema, options: BffCost = {}) {
    this.#schema = schema;
    this.#fields = options.fields ?? {};
    this.#defaultListSize = options.defaultListSize ?? DEFAULT_LIST_SIZE;
    this.#pageArguments = options.pageArguments ?? PAGE_ARGUMENTS;
    this.#introspection = introspectionListSizes(schema);
  }

  /** @param document valid for the schema. */
  costOf(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ): OperationCost {
    const fragments = new Map<string, FragmentDefinitionNode>();
    for (const each of document.definitions)
      if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
    const run = new CostRun(this, fragments, operation, variables);
    const root = this.#schema.getRootType(operation.operation);
    const cost = root ? run.selections(operation.selectionSet, root, undefined) : 0;
    return { cost: Math.max(1, Math.round(cost)), isConstant: !run.usesVariables };
  }

  typeNamed(name: string): GraphQLNamedType | undefined {
    return this.#schema.getType(name);
  }

  fieldOf(type: GraphQLNamedType, name: string): GraphQLField<unknown, unknown> | undefined {
    if (type === this.#schema.getQueryType()) {
      if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
      if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    }
    return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
  }

  declared(type: GraphQLNamedType, field: string): FieldCost {
    return this.#fields[`${type.name}.${field}`] ?? {};
  }

  weightOf(type: GraphQLNamedType, field: string): number {
    if (type.name.startsWith('__') || field.startsWith('__')) return INTROSPECTION_WEIGHT;
    return this.declared(type, field).weight ?? (this.#isRoot(type) ? ROOT_FIELD_WEIGHT : FIELD_WEIGHT);
  }

  itemWeightOf(type: GraphQLNamedType, field: string): number {
    return this.declared(type, field).itemWeight ?? ITEM_WEIGHT;
  }

  listSizeOf(type: GraphQLNamedType, field: string): number {
    const known = this.#introspection.get(`${type.name}.${field}`);
    return known ?? this.declared(type, field).listSize ?? this.#defaultListSize;
  }

  pageArgumentsOf(field: GraphQLField<unknown, unknown>): readonly (typeof field.args)[number][] {
    return field.args.filter(({ name }) => this.#pageArguments.includes(name));
  }

  #isRoot(type: GraphQLNamedType): boolean {
    const schema = this.#schema;
    return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].includes(
      type as never,
    );
  }
}

/** One calculation. Visits each fragment once for each length of the page that it is part of. */
class CostRun {
  usesVariables = false;
  readonly #model: CostModel;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #operation: OperationDefinitionNode;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #known = new Map<string, number>();

  constructor(
    model: CostModel,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ) {
    this.#model = model;
    this.#fragments = fragments;
    this.#operation = operation;
    this.#variables = variables;
  }

  /** @param page length of the page that `type` describes; undefined: it is no page. */
  selections({ selections }: SelectionSetNode, type: GraphQLNamedType, page: number | undefined): number {
    return selections.reduce((sum, selection) => {
      if (selection.kind === Kind.FIELD) return sum + this.#field(selection, type, page);
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const on = selection.typeCondition && this.#model.typeNamed(selection.typeCondition.name.value);
        return sum + this.selections(selection.selectionSet, on ?? type, page);
      }
      return sum + this.#fragment(selection.name.value, page);
    }, 0);
  }

  #fragment(name: string, page: number | undefined): number {
    const key = `${name} ${page}`;
    let cost = this.#known.get(key);
    if (cost === undefined) {
      const fragment = this.#fragments.get(name)!;
      const type = this.#model.typeNamed(fragment.typeCondition.name.value)!;
      cost = this.selections(fragment.selectionSet, type, page);
      this.#known.set(key, cost);
    }
    return cost;
  }

  #field(node: FieldNode, parent: GraphQLNamedType, pageAbove: number | undefined): number {
    const name = node.name.value;
    const field = this.#model.fieldOf(parent, name);
    const weight = this.#model.weightOf(parent, name);
    if (!field) return weight;
    const isList = isListType(getNullableType(field.type));
    const page = this.#pageOf(node, field, parent);
    const below = (pageOfSelection: number | undefined): number => {
      const type = getNamedType(field.type);
      return node.selectionSet && isCompositeType(type)
        ? this.selections(node.selectionSet, type, pageOfSelection)
        : 0;
    };
    if (page !== undefined) {
      const items = page * this.#model.itemWeightOf(parent, name);
      return weight + items + (isList ? page * below(undefined) : below(page));
    }
    if (!isList) return weight + below(undefined);
    return weight + (pageAbove ?? this.#model.listSizeOf(parent, name)) * Math.max(weight, below(undefined));
  }

  /** Length of the page that the field's arguments ask for; undefined when it has no such argument. */
  #pageOf(
    node: FieldNode,
    field: GraphQLField<unknown, unknown>,
    parent: GraphQLNamedType,
  ): number | undefined {
    const definitions = this.#model.pageArgumentsOf(field);
    if (definitions.length === 0) return undefined;
    const given = definitions.flatMap((definition) => {
      const value = node.arguments?.find(({ name }) => name.value === definition.name)?.value;
      const length = value?.kind === Kind.VARIABLE ? this.#variable(value.name.value) : literal(value);
      return length ?? defaultOf(definition) ?? [];
    });
    return given.length > 0 ? Math.max(...given) : this.#model.listSizeOf(parent, node.name.value);
  }

  #variable(name: string): number | undefined {
    this.usesVariables = true;
    const value = this.#variables[name];
    if (value !== undefined) return lengthOf(value);
    const definition = this.#operation.variableDefinitions?.find(
      ({ variable }) => variable.name.value === name,
    );
    return literal(definition?.defaultValue);
  }
}

function literal(node: { readonly kind: string; readonly value?: unknown } | undefined): number | undefined {
  return node?.kind === Kind.INT ? lengthOf(Number(node.value)) : undefined;
}

function defaultOf({ default: given, defaultValue }: GraphQLField<unknown, unknown>['args'][number]) {
  return lengthOf(given?.value ?? defaultValue) ?? (given?.literal && literal(given.literal));
}

/** Undefined for anything but a number; GraphQL refuses the value later. */
function lengthOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(0, value) : undefined;
}

/** Lengths of the lists of introspection, on average over the types of the schema. */
function introspectionListSizes(schema: GraphQLSchema): Map<string, number> {
  const types = Object.values(schema.getTypeMap());
  const fields = types.flatMap((type) =>
    isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [],
  );
  const perType = Math.max(1, fields.length / types.length);
  const perField = Math.max(1, fields.flatMap(({ args }) => args).length / Math.max(1, fields.length));
  return new Map([
    ['__Schema.types', types.length],
    ['__Schema.directives', schema.getDirectives().length],
    ['__Type.fields', perType],
    ['__Type.inputFields', perType],
    ['__Type.enumValues', perType],
    ['__Type.interfaces', 1],
    ['__Type.possibleTypes', perType],
    ['__Field.args', perField],
    ['__Directive.args', 2],
    ['__Directive.locations', 4],
  ]);
}
