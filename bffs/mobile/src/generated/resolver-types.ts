// Generated from schema/ by `npm run generate`. Do not edit.
import type { OrderDocument, ProductDocument } from '@order-platform/contracts';
import type { Context } from '@order-platform/bff-shared';
import type * as Types from './schema-types.ts';
import type { Omit, RequireFields, ResolverTypeWrapper, Resolver, SubscriptionResolver } from './resolver-signatures.ts';

/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  Boolean: ResolverTypeWrapper<Types.Scalars['Boolean']['output']>;
  Home: ResolverTypeWrapper<Omit<Types.Home, 'active' | 'offers'> & { active: Array<ResolversTypes['OrderCard']>, offers: Array<ResolversTypes['Offer']> }>;
  ID: ResolverTypeWrapper<Types.Scalars['ID']['output']>;
  Int: ResolverTypeWrapper<Types.Scalars['Int']['output']>;
  Mutation: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Offer: ResolverTypeWrapper<ProductDocument>;
  OrderCard: ResolverTypeWrapper<OrderDocument>;
  OrderScreen: ResolverTypeWrapper<OrderDocument>;
  Placed: ResolverTypeWrapper<Types.Placed>;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  String: ResolverTypeWrapper<Types.Scalars['String']['output']>;
  Subscription: ResolverTypeWrapper<Record<PropertyKey, never>>;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  Boolean: Types.Scalars['Boolean']['output'];
  Home: Omit<Types.Home, 'active' | 'offers'> & { active: Array<ResolversParentTypes['OrderCard']>, offers: Array<ResolversParentTypes['Offer']> };
  ID: Types.Scalars['ID']['output'];
  Int: Types.Scalars['Int']['output'];
  Mutation: Record<PropertyKey, never>;
  Offer: ProductDocument;
  OrderCard: OrderDocument;
  OrderScreen: OrderDocument;
  Placed: Types.Placed;
  Query: Record<PropertyKey, never>;
  String: Types.Scalars['String']['output'];
  Subscription: Record<PropertyKey, never>;
};

export type HomeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Home'] = ResolversParentTypes['Home']> = {
  active?: Resolver<Array<ResolversTypes['OrderCard']>, ParentType, ContextType>;
  offers?: Resolver<Array<ResolversTypes['Offer']>, ParentType, ContextType>;
};

export type MutationResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Mutation'] = ResolversParentTypes['Mutation']> = {
  order?: Resolver<ResolversTypes['Placed'], ParentType, ContextType, RequireFields<Types.MutationOrderArgs, 'commandId' | 'product' | 'qty'>>;
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
  hint?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  lines?: Resolver<Array<ResolversTypes['String']>, ParentType, ContextType>;
  state?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  step?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  total?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  v?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type PlacedResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Placed'] = ResolversParentTypes['Placed']> = {
  id?: Resolver<Types.Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  refused?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  token?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type QueryResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  home?: Resolver<ResolversTypes['Home'], ParentType, ContextType>;
  orderScreen?: Resolver<Types.Maybe<ResolversTypes['OrderScreen']>, ParentType, ContextType, RequireFields<Types.QueryOrderScreenArgs, 'id'>>;
};

export type SubscriptionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Subscription'] = ResolversParentTypes['Subscription']> = {
  activity?: SubscriptionResolver<ResolversTypes['OrderCard'], "activity", ParentType, ContextType>;
  orderScreen?: SubscriptionResolver<ResolversTypes['OrderScreen'], "orderScreen", ParentType, ContextType, RequireFields<Types.SubscriptionOrderScreenArgs, 'id'>>;
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
