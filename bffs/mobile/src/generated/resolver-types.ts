// Generated from schema.graphql by `npm run generate`. Do not edit.
import type { GraphQLResolveInfo } from 'graphql';
import type { OrderDocument, ProductDocument } from '@order-platform/contracts';
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
};

/** The first screen. */
export type Home = {
  __typename?: 'Home';
  /** Orders that have not ended, newest first, at most 5. */
  active: Array<OrderCard>;
  /** Products on offer, at most 6. */
  offers: Array<Offer>;
};

/** What the phone may change. */
export type Mutation = {
  __typename?: 'Mutation';
  /** Places an order for one product. */
  order: Placed;
};


/** What the phone may change. */
export type MutationOrderArgs = {
  commandId: Scalars['ID']['input'];
  product: Scalars['ID']['input'];
  qty?: Scalars['Int']['input'];
};

/** A product in a list. */
export type Offer = {
  __typename?: 'Offer';
  /** The product's id. */
  id: Scalars['ID']['output'];
  /** The picture's sign. */
  image: Scalars['String']['output'];
  /** Its name. */
  name: Scalars['String']['output'];
  /** The price, ready to show. */
  price: Scalars['String']['output'];
};

/** An order in a list. */
export type OrderCard = {
  __typename?: 'OrderCard';
  /** The order's id. */
  id: Scalars['ID']['output'];
  /** State as a single word for the badge. */
  state: Scalars['String']['output'];
  /** The sum, ready to show, e.g. `€12.50`. */
  total: Scalars['String']['output'];
  /** Its version. */
  v: Scalars['Int']['output'];
};

/** An order's screen, ready to show. */
export type OrderScreen = {
  __typename?: 'OrderScreen';
  /** What the customer should know: the tracking code, or why it failed. */
  hint?: Maybe<Scalars['String']['output']>;
  /** The order's id. */
  id: Scalars['ID']['output'];
  /** One line of text per product, e.g. `2 × Kettle`. */
  lines: Array<Scalars['String']['output']>;
  /** State as a single word for the badge. */
  state: Scalars['String']['output'];
  /** Steps done so far, 0 to 5, for the progress bar. */
  step: Scalars['Int']['output'];
  /** The sum, ready to show. */
  total: Scalars['String']['output'];
  /** Its version. */
  v: Scalars['Int']['output'];
};

/** What became of an order. */
export type Placed = {
  __typename?: 'Placed';
  /** The order's id; null when it was refused. */
  id?: Maybe<Scalars['ID']['output']>;
  /** Why it was refused; null when it was not. */
  refused?: Maybe<Scalars['String']['output']>;
  /** Give it to `orderScreen` as `after`. */
  token?: Maybe<Scalars['String']['output']>;
};

/** One round trip per screen. */
export type Query = {
  __typename?: 'Query';
  /** The first screen: what is under way and what is on offer. */
  home: Home;
  /** One order's screen; null when there is none that you may see. */
  orderScreen?: Maybe<OrderScreen>;
};


/** One round trip per screen. */
export type QueryOrderScreenArgs = {
  after: InputMaybe<Scalars['String']['input']>;
  id: Scalars['ID']['input'];
};

/** What the phone may watch. Resume with `extensions.cursor`. */
export type Subscription = {
  __typename?: 'Subscription';
  /** A line for each change of your orders. */
  activity: OrderCard;
  /** One order's screen: now, then every change. */
  orderScreen: OrderScreen;
};


/** What the phone may watch. Resume with `extensions.cursor`. */
export type SubscriptionOrderScreenArgs = {
  id: Scalars['ID']['input'];
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





/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  Boolean: ResolverTypeWrapper<Scalars['Boolean']['output']>;
  Home: ResolverTypeWrapper<Omit<Home, 'active' | 'offers'> & { active: Array<ResolversTypes['OrderCard']>, offers: Array<ResolversTypes['Offer']> }>;
  ID: ResolverTypeWrapper<Scalars['ID']['output']>;
  Int: ResolverTypeWrapper<Scalars['Int']['output']>;
  Mutation: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Offer: ResolverTypeWrapper<ProductDocument>;
  OrderCard: ResolverTypeWrapper<OrderDocument>;
  OrderScreen: ResolverTypeWrapper<OrderDocument>;
  Placed: ResolverTypeWrapper<Placed>;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  String: ResolverTypeWrapper<Scalars['String']['output']>;
  Subscription: ResolverTypeWrapper<Record<PropertyKey, never>>;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  Boolean: Scalars['Boolean']['output'];
  Home: Omit<Home, 'active' | 'offers'> & { active: Array<ResolversParentTypes['OrderCard']>, offers: Array<ResolversParentTypes['Offer']> };
  ID: Scalars['ID']['output'];
  Int: Scalars['Int']['output'];
  Mutation: Record<PropertyKey, never>;
  Offer: ProductDocument;
  OrderCard: OrderDocument;
  OrderScreen: OrderDocument;
  Placed: Placed;
  Query: Record<PropertyKey, never>;
  String: Scalars['String']['output'];
  Subscription: Record<PropertyKey, never>;
};

export type HomeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Home'] = ResolversParentTypes['Home']> = {
  active?: Resolver<Array<ResolversTypes['OrderCard']>, ParentType, ContextType>;
  offers?: Resolver<Array<ResolversTypes['Offer']>, ParentType, ContextType>;
};

export type MutationResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Mutation'] = ResolversParentTypes['Mutation']> = {
  order?: Resolver<ResolversTypes['Placed'], ParentType, ContextType, RequireFields<MutationOrderArgs, 'commandId' | 'product' | 'qty'>>;
};

export type OfferResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Offer'] = ResolversParentTypes['Offer']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  image?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  price?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type OrderCardResolvers<ContextType = Context, ParentType extends ResolversParentTypes['OrderCard'] = ResolversParentTypes['OrderCard']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  state?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  total?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  v?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type OrderScreenResolvers<ContextType = Context, ParentType extends ResolversParentTypes['OrderScreen'] = ResolversParentTypes['OrderScreen']> = {
  hint?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  lines?: Resolver<Array<ResolversTypes['String']>, ParentType, ContextType>;
  state?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  step?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  total?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  v?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type PlacedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Placed'] = ResolversParentTypes['Placed']> = {
  id?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  refused?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  token?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type QueryResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  home?: Resolver<ResolversTypes['Home'], ParentType, ContextType>;
  orderScreen?: Resolver<Maybe<ResolversTypes['OrderScreen']>, ParentType, ContextType, RequireFields<QueryOrderScreenArgs, 'id'>>;
};

export type SubscriptionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Subscription'] = ResolversParentTypes['Subscription']> = {
  activity?: SubscriptionResolver<ResolversTypes['OrderCard'], "activity", ParentType, ContextType>;
  orderScreen?: SubscriptionResolver<ResolversTypes['OrderScreen'], "orderScreen", ParentType, ContextType, RequireFields<SubscriptionOrderScreenArgs, 'id'>>;
};

export type Resolvers<ContextType = Context> = {
  Home?: HomeResolvers<ContextType>;
  Mutation?: MutationResolvers<ContextType>;
  Offer?: OfferResolvers<ContextType>;
  OrderCard?: OrderCardResolvers<ContextType>;
  OrderScreen?: OrderScreenResolvers<ContextType>;
  Placed?: PlacedResolvers<ContextType>;
  Query?: QueryResolvers<ContextType>;
  Subscription?: SubscriptionResolvers<ContextType>;
};

