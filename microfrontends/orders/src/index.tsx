// Imported first: the components' styles follow it.
// oxlint-disable-next-line import/no-unassigned-import -- Vite finds styles by imports
import './orders.css';
import { signal } from '@preact/signals';
import type { MicroFrontend } from '@tidegate/live-client/micro-frontend';
import { render } from 'preact';
import { BasketStore } from './basket-store.ts';
import { startCatalogue } from './catalogue.ts';
import { ErrorBoundary } from './error-boundary.tsx';
import { startOrderStore } from './order-store.ts';
import { OrdersApp } from './orders-app.tsx';

const TICK_MS = 1_000;
const ANNOUNCEMENT_MS = 5_000;

/** Mounts the orders of the viewer: a live board, the details of one order, and a form for a new order. */
export const mount: MicroFrontend['mount'] = (element, { client, viewer, navigate, location, fail }) => {
  const path = signal(location.path());
  const nowMs = signal(Date.now());
  const announcement = signal('');
  const store = startOrderStore(client);
  const catalogue = startCatalogue(client);
  const stopListening = location.subscribe(() => {
    path.value = location.path();
  });
  const ticker = setInterval(() => {
    nowMs.value = Date.now();
  }, TICK_MS);
  let silence: ReturnType<typeof setTimeout> | undefined;
  const announce = (text: string): void => {
    announcement.value = text;
    clearTimeout(silence);
    silence = setTimeout(() => {
      announcement.value = '';
    }, ANNOUNCEMENT_MS);
  };

  const basket = new BasketStore(client, announce);
  const context = { client, viewer, navigate, store, catalogue, basket, nowMs, announce };
  render(
    <ErrorBoundary onError={fail}>
      <OrdersApp context={context} path={path} announcement={announcement} />
    </ErrorBoundary>,
    element,
  );

  return () => {
    render(null, element);
    stopListening();
    clearInterval(ticker);
    clearTimeout(silence);
    store.stop();
    catalogue.stop();
    basket.stop();
  };
};
