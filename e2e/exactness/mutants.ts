import type { Gateway } from '@tidegate/gateway';

type Hub = Gateway['hub'];
type Subscribe = Hub['subscribe'];
type Sink = Parameters<Subscribe>[1];
type Frame = Parameters<Sink['next']>[0];

/** Breaks a started gateway's engine, at the one place through which every subscription goes. */
export type Mutant = (hub: Hub) => void;

/** A resume begins from now: what happened meanwhile is not replayed. */
function skippedReplay(hub: Hub): void {
  patch(hub, (subscribe) => (request, sink) => {
    if (request.cursor === undefined) return subscribe(request, sink);
    const { cursor: _, snapshot: __, ...fromNow } = request;
    return subscribe(fromNow, sink);
  });
}

/** `version <= floor + 1`: the snapshot is taken to contain the change after it. */
function snapshotFenceTooHigh(hub: Hub): void {
  patch(hub, (subscribe) => (request, sink) => {
    let floor: number | undefined;
    const next = (frame: Frame): void => {
      if (frame.kind === 'change' && floor !== undefined && frame.version === floor + 1) return;
      if (frame.kind === 'snapshot') floor = frame.version;
      sink.next(frame);
    };
    return subscribe(request, withNext(sink, next));
  });
}

/** `offset > position` where it has to be `>=`: the first change after a cursor is left out. */
function joinBoundaryTooHigh(hub: Hub): void {
  patch(hub, (subscribe) => (request, sink) => {
    let skipping = request.cursor !== undefined;
    const next = (frame: Frame): void => {
      if (!skipping) return sink.next(frame);
      skipping = false;
    };
    return subscribe(request, withNext(sink, next));
  });
}

/** A resume begins one message before the cursor. */
function joinBoundaryTooLow(hub: Hub): void {
  const before = new Map<string, string>();
  patch(hub, (subscribe) => (request, sink) => {
    let last = request.cursor;
    const next = (frame: Frame): void => {
      if (last !== undefined && last !== frame.cursor) before.set(frame.cursor, last);
      last = frame.cursor;
      sink.next(frame);
    };
    const cursor = request.cursor === undefined ? undefined : (before.get(request.cursor) ?? request.cursor);
    return subscribe({ ...request, ...(cursor !== undefined && { cursor }) }, withNext(sink, next));
  });
}

/** Frames that wait for one write: the last of them is lost when several do. */
function lostFlush(hub: Hub): void {
  patch(hub, (subscribe) => (request, sink) => {
    let waiting: Frame[] = [];
    const flush = (): void => {
      const frames = waiting;
      waiting = [];
      if (frames.length > 1) frames.pop();
      for (const frame of frames) sink.next(frame);
    };
    const next = (frame: Frame): void => {
      if (waiting.push(frame) === 1) setImmediate(flush);
    };
    return subscribe(request, withNext(sink, next));
  });
}

/** Not broken: the same patch without a fault, so that what is caught is the fault and not the patch. */
function sound(hub: Hub): void {
  patch(
    hub,
    (subscribe) => (request, sink) =>
      subscribe(
        request,
        withNext(sink, (frame) => sink.next(frame)),
      ),
  );
}

export const mutants = {
  'a skipped replay': skippedReplay,
  'a snapshot fence that is one too high': snapshotFenceTooHigh,
  'a join boundary that is one too high': joinBoundaryTooHigh,
  'a join boundary that is one too low': joinBoundaryTooLow,
  'a lost flush': lostFlush,
} satisfies Record<string, Mutant>;

export const soundPatch: Mutant = sound;

function patch(hub: Hub, wrap: (subscribe: Subscribe) => Subscribe): void {
  hub.subscribe = wrap(hub.subscribe.bind(hub));
}

/** The same sink, of whatever kind, with another `next`. */
function withNext(sink: Sink, next: (frame: Frame) => void): Sink {
  return new Proxy(sink, {
    get(target, property) {
      if (property === 'next') return next;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
