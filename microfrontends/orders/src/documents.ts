import { lanes } from './lanes.ts';

/** GraphQL documents of this micro-frontend, for the web BFF. A test validates each against the schema. */
const orderFields = /* GraphQL */ `
  fragment OrderFields on Order {
    id
    version
    status
    customerId
    lines {
      productId
      quantity
      unitPrice {
        amountCents
        currency
      }
    }
    total {
      amountCents
      currency
    }
    note
    rejection {
      code
      message
    }
    payment {
      status
      reference
    }
    shipment {
      status
      carrier
      trackingCode
    }
    steps {
      status
      at
    }
    placedAt
    updatedAt
  }
`;

/** First page of each lane with the number of all its orders. */
export const boardQuery: string = `
  query Board($first: Int!) {
    ${lanes.map(({ id, statuses }) => `${id}: orders(first: $first, status: [${statuses.join()}]) { ...OrderPage }`).join('\n')}
  }
  fragment OrderPage on OrderConnection {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    edges {
      node {
        ...OrderFields
      }
    }
  }
  ${orderFields}
`;

/** A further page of one lane. */
export const lanePageQuery = /* GraphQL */ `
  query LanePage($first: Int!, $after: String, $status: [OrderStatus!]) {
    page: orders(first: $first, after: $after, status: $status) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          ...OrderFields
        }
      }
    }
  }
  ${orderFields}
`;

/** Number of orders in each lane. */
export const countsQuery: string = `
  query BoardCounts {
    ${lanes.map(({ id, statuses }) => `${id}: orders(first: 1, status: [${statuses.join()}]) { totalCount }`).join('\n')}
  }
`;

export const ordersSubscription = /* GraphQL */ `
  subscription BoardChanges {
    orders {
      ...OrderFields
    }
  }
  ${orderFields}
`;

export const orderSubscription = /* GraphQL */ `
  subscription OrderChanges($id: ID!) {
    order(id: $id) {
      ...OrderFields
    }
  }
  ${orderFields}
`;

export const productsQuery = /* GraphQL */ `
  query Catalogue {
    products(first: 100) {
      edges {
        node {
          id
          name
          description
          category
          image
          price {
            amountCents
            currency
          }
          stock {
            productId
            available
            version
          }
        }
      }
    }
  }
`;

export const stockSubscription = /* GraphQL */ `
  subscription ProductStock($productId: ID!) {
    stock(productId: $productId) {
      productId
      available
      version
    }
  }
`;

const commandResult = `
  __typename
  ... on CommandAccepted {
    orderId
  }
  ... on CommandRejected {
    reason {
      code
      message
    }
  }
`;

export const placeOrderMutation = /* GraphQL */ `
  mutation PlaceOrder($input: PlaceOrderInput!) {
    placeOrder(input: $input) {
      ${commandResult}
    }
  }
`;

export const cancelOrderMutation = /* GraphQL */ `
  mutation CancelOrder($input: CancelOrderInput!) {
    cancelOrder(input: $input) {
      ${commandResult}
    }
  }
`;
