import { microFrontend } from '../build/micro-frontend.ts';

export default microFrontend({
  name: 'orders',
  title: 'Orders',
  entry: 'orders',
  input: { orders: 'src/index.tsx' },
  exposes: { '@mfe/orders': 'orders' },
});
