// Generated from schema.graphql by `npm run generate`. Do not edit.
import type { GraphQLResolveInfo, GraphQLScalarType, GraphQLScalarTypeConfig } from 'graphql';
import type { OrderDocument, OrderLine as OrderLineParent, Money as MoneyParent, ProductDocument } from '@order-platform/contracts';
import type { PaymentParent, ShipmentParent } from './../parents.ts';
import type { Viewer as ViewerParent } from '@tidegate/bff';
import type { Accepted, Rejected } from './../command-result.ts';
import type { Context } from '@order-platform/bff-shared';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type Omit<T, K extends keyof T> = Pick<T, Exclude<keyof T, K>>;
export type RequireFields<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** Names versions that a read must not be older than. Opaque: take it from a mutation's result and give it back. */
  ConsistencyToken: { input: string; output: string; }
  /** A point in time, RFC 3339 with milliseconds, e.g. `2026-11-23T06:24:00.000Z`. */
  DateTime: { input: string; output: string; }
};

/** Which order to cancel. */
export type CancelOrderInput = {
  /** Yours to choose, so that a retry is recognised; made for you when absent. */
  commandId?: InputMaybe<Scalars['ID']['input']>;
  /** The order's id. */
  orderId: Scalars['ID']['input'];
  /** Why, at most 500 characters. */
  reason?: Scalars['String']['input'];
};

/** What became of `cancelOrder`. */
export type CancelOrderResult = CommandAccepted | CommandRejected;

/** It is done and will not be lost; what follows from it can be watched. */
export type CommandAccepted = {
  __typename?: 'CommandAccepted';
  /** The command's id. */
  commandId: Scalars['ID']['output'];
  /** The order it was about. */
  orderId: Scalars['ID']['output'];
  /** Give it to a query as `notOlderThan` to read what you wrote. */
  token: Scalars['ConsistencyToken']['output'];
};

/** What became of a command, whenever one hears of it. */
export type CommandOutcome = CommandAccepted | CommandRejected;

/** It was refused and nothing has changed. */
export type CommandRejected = {
  __typename?: 'CommandRejected';
  /** The command's id. */
  commandId: Scalars['ID']['output'];
  /** Why. */
  reason: Rejection;
};

/** An amount of money, exact. */
export type Money = {
  __typename?: 'Money';
  /** Whole cents. */
  amountCents: Scalars['Int']['output'];
  /** ISO 4217. */
  currency: Scalars['String']['output'];
};

/** What a browser may change. Refusals are results, not errors. */
export type Mutation = {
  __typename?: 'Mutation';
  /** Cancels an order that has not been dispatched. */
  cancelOrder: CancelOrderResult;
  /** Places an order. A repeated `commandId` gets the first outcome again, so retrying is safe. */
  placeOrder: PlaceOrderResult;
};


/** What a browser may change. Refusals are results, not errors. */
export type MutationCancelOrderArgs = {
  input: CancelOrderInput;
};


/** What a browser may change. Refusals are results, not errors. */
export type MutationPlaceOrderArgs = {
  input: PlaceOrderInput;
};

/** One order with everything that happened to it. */
export type Order = {
  __typename?: 'Order';
  /** Whose it is. */
  customerId: Scalars['ID']['output'];
  /** Its id. */
  id: Scalars['ID']['output'];
  /** What was ordered. */
  lines: Array<OrderLine>;
  /** What the customer wrote. */
  note?: Maybe<Scalars['String']['output']>;
  /** How it was paid, once it was. */
  payment?: Maybe<Payment>;
  /** When it was placed. */
  placedAt: Scalars['DateTime']['output'];
  /** Why it was rejected or cancelled. */
  rejection?: Maybe<Rejection>;
  /** How it travels, once it does. */
  shipment?: Maybe<Shipment>;
  /** Where it stands. */
  status: OrderStatus;
  /** The sum of its lines. */
  total: Money;
  /** When it last changed. */
  updatedAt: Scalars['DateTime']['output'];
  /** Counts its states from 1 without a gap: a newer state has a higher version. */
  version: Scalars['Int']['output'];
};

/** A page of orders. */
export type OrderConnection = {
  __typename?: 'OrderConnection';
  /** The orders with their cursors. */
  edges: Array<OrderEdge>;
  /** Whether there is more. */
  pageInfo: PageInfo;
  /** How many there are in all. */
  totalCount: Scalars['Int']['output'];
};

/** An order in a page. */
export type OrderEdge = {
  __typename?: 'OrderEdge';
  /** Where this order stands in the list. */
  cursor: Scalars['String']['output'];
  /** The order. */
  node: Order;
};

/** Which orders to watch. */
export type OrderFilter = {
  /** Only this customer's; operators only. */
  customerId?: InputMaybe<Scalars['ID']['input']>;
  /** Only while in one of these states; all when absent. */
  status?: InputMaybe<Array<OrderStatus>>;
};

/** One product in an order. */
export type OrderLine = {
  __typename?: 'OrderLine';
  /** The product as it is now; null when it is no longer sold. */
  product?: Maybe<Product>;
  /** The product's id. */
  productId: Scalars['ID']['output'];
  /** How many. */
  quantity: Scalars['Int']['output'];
  /** What one cost when it was ordered. */
  unitPrice: Money;
};

/** One product to order. */
export type OrderLineInput = {
  /** The product's id. */
  productId: Scalars['ID']['input'];
  /** How many, 1 to 999. */
  quantity: Scalars['Int']['input'];
};

/** Where an order stands. */
export type OrderStatus =
  /** Cancelled by the customer or an operator. */
  | 'CANCELLED'
  /** Paid. */
  | 'CONFIRMED'
  /** Arrived. */
  | 'DELIVERED'
  /** On its way. */
  | 'DISPATCHED'
  /** Accepted; nothing else has happened yet. */
  | 'PLACED'
  /** Being packed. */
  | 'PREPARING'
  /** Could not be fulfilled; `rejection` says why. */
  | 'REJECTED'
  /** Stock is held for it. */
  | 'RESERVED';

/** Where a page ends. */
export type PageInfo = {
  __typename?: 'PageInfo';
  /** Give it as `after` for the next page. */
  endCursor?: Maybe<Scalars['String']['output']>;
  /** Whether there is a page after this one. */
  hasNextPage: Scalars['Boolean']['output'];
};

/** A payment. */
export type Payment = {
  __typename?: 'Payment';
  /** The provider's reference. */
  reference?: Maybe<Scalars['String']['output']>;
  /** Where it stands. */
  status: PaymentStatus;
};

/** Where a payment stands. */
export type PaymentStatus =
  /** The money is promised. */
  | 'AUTHORIZED'
  /** The provider said no. */
  | 'DECLINED'
  /** The money went back. */
  | 'REFUNDED';

/** What to order. */
export type PlaceOrderInput = {
  /** Yours to choose, so that a retry is recognised; made for you when absent. */
  commandId?: InputMaybe<Scalars['ID']['input']>;
  /** The products. */
  lines: Array<OrderLineInput>;
  /** A word to the shop, at most 500 characters. */
  note?: InputMaybe<Scalars['String']['input']>;
};

/** What became of `placeOrder`. */
export type PlaceOrderResult = CommandAccepted | CommandRejected;

/** One thing that is sold. */
export type Product = {
  __typename?: 'Product';
  /** Where it stands in the shop. */
  category: Scalars['String']['output'];
  /** A sentence or two. */
  description: Scalars['String']['output'];
  /** Its id. */
  id: Scalars['ID']['output'];
  /** A sign that stands for a picture. */
  image: Scalars['String']['output'];
  /** Its name. */
  name: Scalars['String']['output'];
  /** What one costs. */
  price: Money;
  /** What is left. */
  stock: Stock;
};

/** A page of products. */
export type ProductConnection = {
  __typename?: 'ProductConnection';
  /** The products with their cursors. */
  edges: Array<ProductEdge>;
  /** Whether there is more. */
  pageInfo: PageInfo;
  /** How many there are in all. */
  totalCount: Scalars['Int']['output'];
};

/** A product in a page. */
export type ProductEdge = {
  __typename?: 'ProductEdge';
  /** Where this product stands in the list. */
  cursor: Scalars['String']['output'];
  /** The product. */
  node: Product;
};

/** What a browser may ask once. */
export type Query = {
  __typename?: 'Query';
  /** Who the bearer token says you are; null without one. */
  me?: Maybe<Viewer>;
  /** One order, or null when there is none that you may see. */
  order?: Maybe<Order>;
  /** Orders, newest first: your own, or everybody's for an operator. */
  orders: OrderConnection;
  /** One product, or null. */
  product?: Maybe<Product>;
  /** The catalogue by name. */
  products: ProductConnection;
};


/** What a browser may ask once. */
export type QueryOrderArgs = {
  id: Scalars['ID']['input'];
  notOlderThan: InputMaybe<Scalars['ConsistencyToken']['input']>;
  strict?: Scalars['Boolean']['input'];
};


/** What a browser may ask once. */
export type QueryOrdersArgs = {
  after: InputMaybe<Scalars['String']['input']>;
  first?: Scalars['Int']['input'];
  notOlderThan: InputMaybe<Scalars['ConsistencyToken']['input']>;
  status: InputMaybe<Array<OrderStatus>>;
  strict?: Scalars['Boolean']['input'];
};


/** What a browser may ask once. */
export type QueryProductArgs = {
  id: Scalars['ID']['input'];
};


/** What a browser may ask once. */
export type QueryProductsArgs = {
  after: InputMaybe<Scalars['String']['input']>;
  category: InputMaybe<Scalars['String']['input']>;
  first?: Scalars['Int']['input'];
};

/** Why something was refused. */
export type Rejection = {
  __typename?: 'Rejection';
  /** For programs, e.g. `OUT_OF_STOCK`. */
  code: Scalars['String']['output'];
  /** For people. */
  message: Scalars['String']['output'];
};

/** What a viewer may do. */
export type Role =
  /** Sees and changes their own orders. */
  | 'CUSTOMER'
  /** Sees all orders. */
  | 'OPERATOR'
  /** Registers webhooks. */
  | 'PARTNER';

/** A shipment. */
export type Shipment = {
  __typename?: 'Shipment';
  /** Who carries it, once dispatched. */
  carrier?: Maybe<Scalars['String']['output']>;
  /** Its id. */
  id: Scalars['ID']['output'];
  /** Where it stands. */
  status: ShipmentStatus;
  /** The carrier's code, once dispatched. */
  trackingCode?: Maybe<Scalars['String']['output']>;
};

/** Where a shipment stands. */
export type ShipmentStatus =
  /** Arrived. */
  | 'DELIVERED'
  /** On its way. */
  | 'DISPATCHED'
  /** Being packed. */
  | 'PREPARED';

/** What is left of a product. */
export type Stock = {
  __typename?: 'Stock';
  /** Can be ordered now. */
  available: Scalars['Int']['output'];
  /** The product's id. */
  productId: Scalars['ID']['output'];
  /** Held for orders that are not yet dispatched. */
  reserved: Scalars['Int']['output'];
  /** Counts the product's states from 1 without a gap. */
  version: Scalars['Int']['output'];
};

/**
 * What a browser may watch. Every message carries `extensions.cursor`: subscribe again with it in
 * `extensions.cursor` to go on after that message with nothing missing and nothing twice.
 */
export type Subscription = {
  __typename?: 'Subscription';
  /** What became of a command: one message, then complete. */
  commandOutcome: CommandOutcome;
  /** One order: its state now, then every change. */
  order: Order;
  /** Every change of the orders you may see, from now on. */
  orders: Order;
  /** A product's stock: now, then every change. */
  stock: Stock;
};


/**
 * What a browser may watch. Every message carries `extensions.cursor`: subscribe again with it in
 * `extensions.cursor` to go on after that message with nothing missing and nothing twice.
 */
export type SubscriptionCommandOutcomeArgs = {
  id: Scalars['ID']['input'];
};


/**
 * What a browser may watch. Every message carries `extensions.cursor`: subscribe again with it in
 * `extensions.cursor` to go on after that message with nothing missing and nothing twice.
 */
export type SubscriptionOrderArgs = {
  id: Scalars['ID']['input'];
};


/**
 * What a browser may watch. Every message carries `extensions.cursor`: subscribe again with it in
 * `extensions.cursor` to go on after that message with nothing missing and nothing twice.
 */
export type SubscriptionOrdersArgs = {
  filter: InputMaybe<OrderFilter>;
};


/**
 * What a browser may watch. Every message carries `extensions.cursor`: subscribe again with it in
 * `extensions.cursor` to go on after that message with nothing missing and nothing twice.
 */
export type SubscriptionStockArgs = {
  productId: Scalars['ID']['input'];
};

/** Who is asking. */
export type Viewer = {
  __typename?: 'Viewer';
  /** The token's subject. */
  id: Scalars['ID']['output'];
  /** What they may do. */
  role: Role;
};



export type ResolverTypeWrapper<T> = Promise<T> | T;


export type ResolverWithResolve<TResult, TParent, TContext, TArgs> = {
  resolve: ResolverFn<TResult, TParent, TContext, TArgs>;
};
export type Resolver<TResult, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = ResolverFn<TResult, TParent, TContext, TArgs> | ResolverWithResolve<TResult, TParent, TContext, TArgs>;

export type ResolverFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => Promise<TResult> | TResult;

export type SubscriptionSubscribeFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => AsyncIterable<TResult> | Promise<AsyncIterable<TResult>>;

export type SubscriptionResolveFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;

export interface SubscriptionSubscriberObject<TResult, TKey extends string, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<{ [key in TKey]: TResult }, TParent, TContext, TArgs>;
  resolve?: SubscriptionResolveFn<TResult, { [key in TKey]: TResult }, TContext, TArgs>;
}

export interface SubscriptionResolverObject<TResult, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<any, TParent, TContext, TArgs>;
  resolve: SubscriptionResolveFn<TResult, any, TContext, TArgs>;
}

export type SubscriptionObject<TResult, TKey extends string, TParent, TContext, TArgs> =
  | SubscriptionSubscriberObject<TResult, TKey, TParent, TContext, TArgs>
  | SubscriptionResolverObject<TResult, TParent, TContext, TArgs>;

export type SubscriptionResolver<TResult, TKey extends string, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> =
  | ((...args: any[]) => SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>)
  | SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>;

export type TypeResolveFn<TTypes, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (
  parent: TParent,
  context: TContext,
  info: GraphQLResolveInfo
) => Maybe<TTypes> | Promise<Maybe<TTypes>>;

export type IsTypeOfResolverFn<T = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (obj: T, context: TContext, info: GraphQLResolveInfo) => boolean | Promise<boolean>;

export type NextResolverFn<T> = () => Promise<T>;

export type DirectiveResolverFn<TResult = Record<PropertyKey, never>, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = (
  next: NextResolverFn<TResult>,
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;



/** Mapping of union types */
export type ResolversUnionTypes<_RefType extends Record<string, unknown>> = {
  CancelOrderResult:
    | ( Accepted )
    | ( Rejected )
  ;
  CommandOutcome:
    | ( Accepted )
    | ( Rejected )
  ;
  PlaceOrderResult:
    | ( Accepted )
    | ( Rejected )
  ;
};


/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  Boolean: ResolverTypeWrapper<Scalars['Boolean']['output']>;
  CancelOrderInput: CancelOrderInput;
  CancelOrderResult: ResolverTypeWrapper<ResolversUnionTypes<ResolversTypes>['CancelOrderResult']>;
  CommandAccepted: ResolverTypeWrapper<Accepted>;
  CommandOutcome: ResolverTypeWrapper<ResolversUnionTypes<ResolversTypes>['CommandOutcome']>;
  CommandRejected: ResolverTypeWrapper<Rejected>;
  ConsistencyToken: ResolverTypeWrapper<Scalars['ConsistencyToken']['output']>;
  DateTime: ResolverTypeWrapper<Scalars['DateTime']['output']>;
  ID: ResolverTypeWrapper<Scalars['ID']['output']>;
  Int: ResolverTypeWrapper<Scalars['Int']['output']>;
  Money: ResolverTypeWrapper<MoneyParent>;
  Mutation: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Order: ResolverTypeWrapper<OrderDocument>;
  OrderConnection: ResolverTypeWrapper<Omit<OrderConnection, 'edges'> & { edges: Array<ResolversTypes['OrderEdge']> }>;
  OrderEdge: ResolverTypeWrapper<Omit<OrderEdge, 'node'> & { node: ResolversTypes['Order'] }>;
  OrderFilter: OrderFilter;
  OrderLine: ResolverTypeWrapper<OrderLineParent>;
  OrderLineInput: OrderLineInput;
  OrderStatus: OrderStatus;
  PageInfo: ResolverTypeWrapper<PageInfo>;
  Payment: ResolverTypeWrapper<PaymentParent>;
  PaymentStatus: PaymentStatus;
  PlaceOrderInput: PlaceOrderInput;
  PlaceOrderResult: ResolverTypeWrapper<ResolversUnionTypes<ResolversTypes>['PlaceOrderResult']>;
  Product: ResolverTypeWrapper<ProductDocument>;
  ProductConnection: ResolverTypeWrapper<Omit<ProductConnection, 'edges'> & { edges: Array<ResolversTypes['ProductEdge']> }>;
  ProductEdge: ResolverTypeWrapper<Omit<ProductEdge, 'node'> & { node: ResolversTypes['Product'] }>;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Rejection: ResolverTypeWrapper<Rejection>;
  Role: Role;
  Shipment: ResolverTypeWrapper<ShipmentParent>;
  ShipmentStatus: ShipmentStatus;
  Stock: ResolverTypeWrapper<ProductDocument>;
  String: ResolverTypeWrapper<Scalars['String']['output']>;
  Subscription: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Viewer: ResolverTypeWrapper<ViewerParent>;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  Boolean: Scalars['Boolean']['output'];
  CancelOrderInput: CancelOrderInput;
  CancelOrderResult: ResolversUnionTypes<ResolversParentTypes>['CancelOrderResult'];
  CommandAccepted: Accepted;
  CommandOutcome: ResolversUnionTypes<ResolversParentTypes>['CommandOutcome'];
  CommandRejected: Rejected;
  ConsistencyToken: Scalars['ConsistencyToken']['output'];
  DateTime: Scalars['DateTime']['output'];
  ID: Scalars['ID']['output'];
  Int: Scalars['Int']['output'];
  Money: MoneyParent;
  Mutation: Record<PropertyKey, never>;
  Order: OrderDocument;
  OrderConnection: Omit<OrderConnection, 'edges'> & { edges: Array<ResolversParentTypes['OrderEdge']> };
  OrderEdge: Omit<OrderEdge, 'node'> & { node: ResolversParentTypes['Order'] };
  OrderFilter: OrderFilter;
  OrderLine: OrderLineParent;
  OrderLineInput: OrderLineInput;
  PageInfo: PageInfo;
  Payment: PaymentParent;
  PlaceOrderInput: PlaceOrderInput;
  PlaceOrderResult: ResolversUnionTypes<ResolversParentTypes>['PlaceOrderResult'];
  Product: ProductDocument;
  ProductConnection: Omit<ProductConnection, 'edges'> & { edges: Array<ResolversParentTypes['ProductEdge']> };
  ProductEdge: Omit<ProductEdge, 'node'> & { node: ResolversParentTypes['Product'] };
  Query: Record<PropertyKey, never>;
  Rejection: Rejection;
  Shipment: ShipmentParent;
  Stock: ProductDocument;
  String: Scalars['String']['output'];
  Subscription: Record<PropertyKey, never>;
  Viewer: ViewerParent;
};

export type CancelOrderResultResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CancelOrderResult'] = ResolversParentTypes['CancelOrderResult']> = {
  __resolveType: TypeResolveFn<'CommandAccepted' | 'CommandRejected', ParentType, ContextType>;
};

export type CommandAcceptedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CommandAccepted'] = ResolversParentTypes['CommandAccepted']> = {
  commandId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  orderId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  token?: Resolver<ResolversTypes['ConsistencyToken'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type CommandOutcomeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CommandOutcome'] = ResolversParentTypes['CommandOutcome']> = {
  __resolveType: TypeResolveFn<'CommandAccepted' | 'CommandRejected', ParentType, ContextType>;
};

export type CommandRejectedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CommandRejected'] = ResolversParentTypes['CommandRejected']> = {
  commandId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  reason?: Resolver<ResolversTypes['Rejection'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export interface ConsistencyTokenScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['ConsistencyToken'], any> {
  name: 'ConsistencyToken';
}

export interface DateTimeScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['DateTime'], any> {
  name: 'DateTime';
}

export type MoneyResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Money'] = ResolversParentTypes['Money']> = {
  amountCents?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  currency?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type MutationResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Mutation'] = ResolversParentTypes['Mutation']> = {
  cancelOrder?: Resolver<ResolversTypes['CancelOrderResult'], ParentType, ContextType, RequireFields<MutationCancelOrderArgs, 'input'>>;
  placeOrder?: Resolver<ResolversTypes['PlaceOrderResult'], ParentType, ContextType, RequireFields<MutationPlaceOrderArgs, 'input'>>;
};

export type OrderResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Order'] = ResolversParentTypes['Order']> = {
  customerId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  lines?: Resolver<Array<ResolversTypes['OrderLine']>, ParentType, ContextType>;
  note?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  payment?: Resolver<Maybe<ResolversTypes['Payment']>, ParentType, ContextType>;
  placedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  rejection?: Resolver<Maybe<ResolversTypes['Rejection']>, ParentType, ContextType>;
  shipment?: Resolver<Maybe<ResolversTypes['Shipment']>, ParentType, ContextType>;
  status?: Resolver<ResolversTypes['OrderStatus'], ParentType, ContextType>;
  total?: Resolver<ResolversTypes['Money'], ParentType, ContextType>;
  updatedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  version?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type OrderConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['OrderConnection'] = ResolversParentTypes['OrderConnection']> = {
  edges?: Resolver<Array<ResolversTypes['OrderEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type OrderEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['OrderEdge'] = ResolversParentTypes['OrderEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Order'], ParentType, ContextType>;
};

export type OrderLineResolvers<ContextType = Context, ParentType extends ResolversParentTypes['OrderLine'] = ResolversParentTypes['OrderLine']> = {
  product?: Resolver<Maybe<ResolversTypes['Product']>, ParentType, ContextType>;
  productId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  quantity?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  unitPrice?: Resolver<ResolversTypes['Money'], ParentType, ContextType>;
};

export type PageInfoResolvers<ContextType = Context, ParentType extends ResolversParentTypes['PageInfo'] = ResolversParentTypes['PageInfo']> = {
  endCursor?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  hasNextPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
};

export type PaymentResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Payment'] = ResolversParentTypes['Payment']> = {
  reference?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  status?: Resolver<ResolversTypes['PaymentStatus'], ParentType, ContextType>;
};

export type PlaceOrderResultResolvers<ContextType = Context, ParentType extends ResolversParentTypes['PlaceOrderResult'] = ResolversParentTypes['PlaceOrderResult']> = {
  __resolveType: TypeResolveFn<'CommandAccepted' | 'CommandRejected', ParentType, ContextType>;
};

export type ProductResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Product'] = ResolversParentTypes['Product']> = {
  category?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  description?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  image?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  price?: Resolver<ResolversTypes['Money'], ParentType, ContextType>;
  stock?: Resolver<ResolversTypes['Stock'], ParentType, ContextType>;
};

export type ProductConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ProductConnection'] = ResolversParentTypes['ProductConnection']> = {
  edges?: Resolver<Array<ResolversTypes['ProductEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type ProductEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ProductEdge'] = ResolversParentTypes['ProductEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Product'], ParentType, ContextType>;
};

export type QueryResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  me?: Resolver<Maybe<ResolversTypes['Viewer']>, ParentType, ContextType>;
  order?: Resolver<Maybe<ResolversTypes['Order']>, ParentType, ContextType, RequireFields<QueryOrderArgs, 'id' | 'strict'>>;
  orders?: Resolver<ResolversTypes['OrderConnection'], ParentType, ContextType, RequireFields<QueryOrdersArgs, 'first' | 'strict'>>;
  product?: Resolver<Maybe<ResolversTypes['Product']>, ParentType, ContextType, RequireFields<QueryProductArgs, 'id'>>;
  products?: Resolver<ResolversTypes['ProductConnection'], ParentType, ContextType, RequireFields<QueryProductsArgs, 'first'>>;
};

export type RejectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Rejection'] = ResolversParentTypes['Rejection']> = {
  code?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type ShipmentResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Shipment'] = ResolversParentTypes['Shipment']> = {
  carrier?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  status?: Resolver<ResolversTypes['ShipmentStatus'], ParentType, ContextType>;
  trackingCode?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type StockResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Stock'] = ResolversParentTypes['Stock']> = {
  available?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  productId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  reserved?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  version?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type SubscriptionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Subscription'] = ResolversParentTypes['Subscription']> = {
  commandOutcome?: SubscriptionResolver<ResolversTypes['CommandOutcome'], "commandOutcome", ParentType, ContextType, RequireFields<SubscriptionCommandOutcomeArgs, 'id'>>;
  order?: SubscriptionResolver<ResolversTypes['Order'], "order", ParentType, ContextType, RequireFields<SubscriptionOrderArgs, 'id'>>;
  orders?: SubscriptionResolver<ResolversTypes['Order'], "orders", ParentType, ContextType, Partial<SubscriptionOrdersArgs>>;
  stock?: SubscriptionResolver<ResolversTypes['Stock'], "stock", ParentType, ContextType, RequireFields<SubscriptionStockArgs, 'productId'>>;
};

export type ViewerResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Viewer'] = ResolversParentTypes['Viewer']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  role?: Resolver<ResolversTypes['Role'], ParentType, ContextType>;
};

export type Resolvers<ContextType = Context> = {
  CancelOrderResult?: CancelOrderResultResolvers<ContextType>;
  CommandAccepted?: CommandAcceptedResolvers<ContextType>;
  CommandOutcome?: CommandOutcomeResolvers<ContextType>;
  CommandRejected?: CommandRejectedResolvers<ContextType>;
  ConsistencyToken?: GraphQLScalarType;
  DateTime?: GraphQLScalarType;
  Money?: MoneyResolvers<ContextType>;
  Mutation?: MutationResolvers<ContextType>;
  Order?: OrderResolvers<ContextType>;
  OrderConnection?: OrderConnectionResolvers<ContextType>;
  OrderEdge?: OrderEdgeResolvers<ContextType>;
  OrderLine?: OrderLineResolvers<ContextType>;
  PageInfo?: PageInfoResolvers<ContextType>;
  Payment?: PaymentResolvers<ContextType>;
  PlaceOrderResult?: PlaceOrderResultResolvers<ContextType>;
  Product?: ProductResolvers<ContextType>;
  ProductConnection?: ProductConnectionResolvers<ContextType>;
  ProductEdge?: ProductEdgeResolvers<ContextType>;
  Query?: QueryResolvers<ContextType>;
  Rejection?: RejectionResolvers<ContextType>;
  Shipment?: ShipmentResolvers<ContextType>;
  Stock?: StockResolvers<ContextType>;
  Subscription?: SubscriptionResolvers<ContextType>;
  Viewer?: ViewerResolvers<ContextType>;
};

