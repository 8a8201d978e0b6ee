// Generated from schema/ by `npm run generate`. Do not edit.
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
};

export type Home = {
  active: Array<OrderCard>;
  offers: Array<Offer>;
};

export type Mutation = {
  order: Placed;
};


export type MutationOrderArgs = {
  commandId: Scalars['ID']['input'];
  product: Scalars['ID']['input'];
  qty?: Scalars['Int']['input'];
};

export type Offer = {
  id: Scalars['ID']['output'];
  image: Scalars['String']['output'];
  name: Scalars['String']['output'];
  price: Scalars['String']['output'];
};

export type OrderCard = {
  id: Scalars['ID']['output'];
  state: Scalars['String']['output'];
  total: Scalars['String']['output'];
  v: Scalars['Int']['output'];
};

export type OrderScreen = {
  hint?: Maybe<Scalars['String']['output']>;
  id: Scalars['ID']['output'];
  lines: Array<Scalars['String']['output']>;
  state: Scalars['String']['output'];
  step: Scalars['Int']['output'];
  total: Scalars['String']['output'];
  v: Scalars['Int']['output'];
};

export type Placed = {
  id?: Maybe<Scalars['ID']['output']>;
  refused?: Maybe<Scalars['String']['output']>;
  token?: Maybe<Scalars['String']['output']>;
};

export type Query = {
  home: Home;
  orderScreen?: Maybe<OrderScreen>;
};


export type QueryOrderScreenArgs = {
  after: InputMaybe<Scalars['String']['input']>;
  id: Scalars['ID']['input'];
};

export type Subscription = {
  activity: OrderCard;
  orderScreen: OrderScreen;
};


export type SubscriptionOrderScreenArgs = {
  id: Scalars['ID']['input'];
};
