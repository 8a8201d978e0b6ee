import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import { countMoves, layoutOf, type LaneLayout } from './lanes.ts';
import type { OrderCollection } from './order-collection.ts';

export interface HeldLayout {
  readonly layout: LaneLayout;
  /** Orders to show: those of the layout that the server no longer lists keep their last state. */
  readonly orders: OrderCollection;
  /** Number of orders that will appear, move or leave when the layout is released. */
  readonly changes: number;
  readonly release: () => void;
}

/** A pointer that rests this long no longer holds the layout: somebody has left a screen alone. */
const RESTING_POINTER_MS = 30_000;
/** Cards of a phone lie below each other: each card that is inserted would move all others under the thumb. */
const PHONE = '(width < 620px)';

/**
 * Keeps the places of the cards while the element is hovered or has the focus, and on a phone always. The cards
 * themselves stay current. A replaced set is laid out anew at once; the focus returns to its order.
 */
export function useHeldLayout(
  element: RefObject<HTMLElement | null>,
  orders: OrderCollection,
  replacements: number,
): HeldLayout {
  const isHeld = useHold(element);
  const held = useRef({ layout: layoutOf(orders), orders, replacements });
  const [, redraw] = useState({});
  const current = layoutOf(orders);
  const isEmpty = held.current.orders.size === 0;
  const focused = focusedOrder(element.current);
  if (!isHeld || isEmpty || held.current.replacements !== replacements) {
    held.current = { layout: current, orders, replacements };
  }
  const { layout } = held.current;
  // An order that the newest set no longer contains keeps the state in which it was seen last.
  const shown = Object.values(layout)
    .flat()
    .flatMap((id) => orders.get(id) ?? held.current.orders.get(id) ?? []);
  held.current.orders = new Map(shown.map((tracked) => [tracked.order.id, tracked]));
  useLayoutEffect(() => {
    if (focused !== undefined && focusedOrder(element.current) === undefined) {
      element.current?.querySelector<HTMLElement>(`[data-order-id="${CSS.escape(focused)}"]`)?.focus();
    }
  });
  return {
    layout,
    orders: held.current.orders,
    changes: countMoves(layout, current),
    release: () => {
      held.current = { layout: current, orders, replacements };
      redraw({});
    },
  };
}

function focusedOrder(element: HTMLElement | null): string | undefined {
  const active = document.activeElement;
  return element?.contains(active) ? (active as HTMLElement).dataset['orderId'] : undefined;
}

/** True while the pointer moves over the element or the focus is inside of it, and on a phone. */
function useHold(element: RefObject<HTMLElement | null>): boolean {
  const [hovered, setHovered] = useState(false);
  const [focused, setFocused] = useState(false);
  const [phone, setPhone] = useState(() => matchMedia(PHONE).matches);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const ended = new AbortController();
    const options = { signal: ended.signal, passive: true };
    let resting: ReturnType<typeof setTimeout> | undefined;
    const leave = (): void => {
      clearTimeout(resting);
      setHovered(false);
    };
    const hover = ({ pointerType }: PointerEvent): void => {
      if (pointerType === 'touch') return;
      clearTimeout(resting);
      resting = setTimeout(leave, RESTING_POINTER_MS);
      setHovered(true);
    };
    target.addEventListener('pointerenter', hover, options);
    target.addEventListener('pointermove', hover, options);
    target.addEventListener('pointerleave', leave, options);
    target.addEventListener('focusin', () => setFocused(true), options);
    target.addEventListener('focusout', () => setFocused(false), options);
    matchMedia(PHONE).addEventListener('change', ({ matches }) => setPhone(matches), options);
    return () => {
      clearTimeout(resting);
      ended.abort();
    };
  }, [element]);
  return hovered || focused || phone;
}
