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
  ConsistencyToken: { input: string; output: string; }
  DateTime: { input: string; output: string; }
};

export type CancelOrderInput = {
  commandId?: InputMaybe<Scalars['ID']['input']>;
  orderId: Scalars['ID']['input'];
  reason?: Scalars['String']['input'];
};

export type CancelOrderResult = CommandAccepted | CommandRejected;

export type CommandAccepted = {
  commandId: Scalars['ID']['output'];
  orderId: Scalars['ID']['output'];
  token: Scalars['ConsistencyToken']['output'];
};

export type CommandOutcome = CommandAccepted | CommandRejected;

export type CommandRejected = {
  commandId: Scalars['ID']['output'];
  reason: Rejection;
};

export type Money = {
  amountCents: Scalars['Int']['output'];
  currency: Scalars['String']['output'];
};

export type Mutation = {
  cancelOrder: CancelOrderResult;
  placeOrder: PlaceOrderResult;
};


export type MutationCancelOrderArgs = {
  input: CancelOrderInput;
};


export type MutationPlaceOrderArgs = {
  input: PlaceOrderInput;
};

export type Order = {
  customerId: Scalars['ID']['output'];
  id: Scalars['ID']['output'];
  lines: Array<OrderLine>;
  note?: Maybe<Scalars['String']['output']>;
  payment?: Maybe<Payment>;
  placedAt: Scalars['DateTime']['output'];
  rejection?: Maybe<Rejection>;
  shipment?: Maybe<Shipment>;
  status: OrderStatus;
  steps: Array<OrderStep>;
  total: Money;
  updatedAt: Scalars['DateTime']['output'];
  version: Scalars['Int']['output'];
};

export type OrderConnection = {
  edges: Array<OrderEdge>;
  pageInfo: PageInfo;
  totalCount: Scalars['Int']['output'];
};

export type OrderEdge = {
  cursor: Scalars['String']['output'];
  node: Order;
};

export type OrderFilter = {
  customerId?: InputMaybe<Scalars['ID']['input']>;
  status?: InputMaybe<Array<OrderStatus>>;
};

export type OrderLine = {
  product?: Maybe<Product>;
  productId: Scalars['ID']['output'];
  quantity: Scalars['Int']['output'];
  unitPrice: Money;
};

export type OrderLineInput = {
  productId: Scalars['ID']['input'];
  quantity: Scalars['Int']['input'];
};

export type OrderStatus =
  | 'CANCELLED'
  | 'CONFIRMED'
  | 'DELIVERED'
  | 'DISPATCHED'
  | 'PLACED'
  | 'PREPARING'
  | 'REJECTED'
  | 'RESERVED';

export type OrderStep = {
  at: Scalars['DateTime']['output'];
  status: OrderStatus;
};

export type PageInfo = {
  endCursor?: Maybe<Scalars['String']['output']>;
  hasNextPage: Scalars['Boolean']['output'];
};

export type Payment = {
  reference?: Maybe<Scalars['String']['output']>;
  status: PaymentStatus;
};

export type PaymentStatus =
  | 'AUTHORIZED'
  | 'DECLINED'
  | 'REFUNDED';

export type PlaceOrderInput = {
  commandId?: InputMaybe<Scalars['ID']['input']>;
  lines: Array<OrderLineInput>;
  note?: InputMaybe<Scalars['String']['input']>;
};

export type PlaceOrderResult = CommandAccepted | CommandRejected;

export type Product = {
  category: Scalars['String']['output'];
  description: Scalars['String']['output'];
  id: Scalars['ID']['output'];
  image: Scalars['String']['output'];
  name: Scalars['String']['output'];
  price: Money;
  stock: Stock;
};

export type ProductConnection = {
  edges: Array<ProductEdge>;
  pageInfo: PageInfo;
  totalCount: Scalars['Int']['output'];
};

export type ProductEdge = {
  cursor: Scalars['String']['output'];
  node: Product;
};

export type Query = {
  me?: Maybe<Viewer>;
  order?: Maybe<Order>;
  orders: OrderConnection;
  product?: Maybe<Product>;
  products: ProductConnection;
};


export type QueryOrderArgs = {
  id: Scalars['ID']['input'];
  notOlderThan: InputMaybe<Scalars['ConsistencyToken']['input']>;
  strict?: Scalars['Boolean']['input'];
};


export type QueryOrdersArgs = {
  after: InputMaybe<Scalars['String']['input']>;
  first?: Scalars['Int']['input'];
  notOlderThan: InputMaybe<Scalars['ConsistencyToken']['input']>;
  status: InputMaybe<Array<OrderStatus>>;
  strict?: Scalars['Boolean']['input'];
};


export type QueryProductArgs = {
  id: Scalars['ID']['input'];
};


export type QueryProductsArgs = {
  after: InputMaybe<Scalars['String']['input']>;
  category: InputMaybe<Scalars['String']['input']>;
  first?: Scalars['Int']['input'];
};

export type Rejection = {
  code: Scalars['String']['output'];
  message: Scalars['String']['output'];
};

export type Role =
  | 'CUSTOMER'
  | 'OPERATOR'
  | 'PARTNER';

export type Shipment = {
  carrier?: Maybe<Scalars['String']['output']>;
  id: Scalars['ID']['output'];
  status: ShipmentStatus;
  trackingCode?: Maybe<Scalars['String']['output']>;
};

export type ShipmentStatus =
  | 'DELIVERED'
  | 'DISPATCHED'
  | 'PREPARED';

export type Stock = {
  available: Scalars['Int']['output'];
  productId: Scalars['ID']['output'];
  reserved: Scalars['Int']['output'];
  version: Scalars['Int']['output'];
};

export type Subscription = {
  commandOutcome: CommandOutcome;
  order: Order;
  orders: Order;
  stock: Stock;
};


export type SubscriptionCommandOutcomeArgs = {
  id: Scalars['ID']['input'];
};


export type SubscriptionOrderArgs = {
  id: Scalars['ID']['input'];
};


export type SubscriptionOrdersArgs = {
  filter: InputMaybe<OrderFilter>;
};


export type SubscriptionStockArgs = {
  productId: Scalars['ID']['input'];
};

export type Viewer = {
  id: Scalars['ID']['output'];
  role: Role;
};
