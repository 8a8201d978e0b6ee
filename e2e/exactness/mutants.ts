import type { Socket } from 'node:net';
import type { Gateway } from '@tidegate/gateway';
import { patchWrites } from './patch-writes.ts';

type Hub = Gateway['hub'];
type Subscribe = Hub['subscribe'];
type Sink = Parameters<Subscribe>[1];
type Next = Sink['deliver'];
type Batch = Parameters<Next>[0];
type Frame = Batch['frames'][number];

/** Breaks a started gateway. */
export interface Mutant {
  /** The engine, at the one place through which every subscription goes. */
  readonly hub?: (hub: Hub) => void;
  /** What the transports write, connection by connection. */
  readonly socket?: (socket: Socket) => void;
}

/** A resume begins from now: what happened meanwhile is not replayed. */
const skippedReplay = ofSubscribe((subscribe) => (request, sink) => {
  if (request.cursor === undefined) return subscribe(request, sink);
  const { cursor: _, snapshot: __, ...fromNow } = request;
  return subscribe(fromNow, sink);
});

/** `version <= floor + 1`: the snapshot is taken to contain the change after it. */
const snapshotFenceTooHigh = ofFrames(() => {
  let floor: number | undefined;
  return (frame) => {
    if (frame.kind === 'change' && floor !== undefined && frame.version === floor + 1) return false;
    if (frame.kind === 'snapshot') floor = frame.version;
    return true;
  };
});

/** Not the first snapshot of a subscription but the one after an overflow: the change after it is left out. */
const overflowResumesLate = ofFrames(({ cursor }) => {
  let hadMessage = cursor !== undefined;
  let skipped: number | undefined;
  return (frame) => {
    if (frame.kind === 'snapshot' && hadMessage) skipped = frame.version + 1;
    hadMessage = true;
    return frame.kind === 'snapshot' || frame.version !== skipped;
  };
});

/** `offset > position` where it has to be `>=`: the first change after a cursor is left out. */
const joinBoundaryTooHigh = ofFrames(({ cursor }) => {
  let skipping = cursor !== undefined;
  return () => {
    const isWanted = !skipping;
    skipping = false;
    return isWanted;
  };
});

/** A resume begins one message before the cursor. */
const joinBoundaryTooLow: Mutant = {
  hub: (hub) => {
    const before = new Map<string, string>();
    const remember = ofFrames((request) => {
      let last = request.cursor;
      return (frame) => {
        if (last !== undefined && last !== frame.cursor) before.set(frame.cursor, last);
        last = frame.cursor;
        return true;
      };
    });
    const goBack = ofSubscribe((subscribe) => (request, sink) => {
      const cursor =
        request.cursor === undefined ? undefined : (before.get(request.cursor) ?? request.cursor);
      return subscribe({ ...request, ...(cursor !== undefined && { cursor }) }, sink);
    });
    goBack.hub!(hub);
    remember.hub!(hub);
  },
};

/** Messages that wait for one write: the last of them is lost when several do. */
const lostFlush = ofSubscribe((subscribe) => (request, sink) => {
  let waiting: Parameters<Next>[] = [];
  const flush = (): void => {
    const frames = waiting.flatMap(([batch]) => batch.frames);
    const lost = frames.length > 1 ? frames.at(-1) : undefined;
    for (const [batch, ...rest] of waiting) {
      const left = batch.filter((frame) => frame !== lost);
      if (left) sink.deliver(left, ...rest);
    }
    waiting = [];
  };
  const next: Next = (...message) => {
    if (waiting.push(message) === 1) setImmediate(flush);
  };
  return subscribe(request, withDeliver(sink, next));
});

/** One more was left out than the message says, or one less. The text stays as long as it is, and the frame. */
const droppedOffByOne: Mutant = {
  socket: (socket) =>
    patchWrites(socket, /(?<="dropped":\d*)\d(?=[,}])/g, (digit) =>
      String(digit === '0' ? 1 : Number(digit) - 1),
    ),
};

/** An event has the id of the one before it. */
const idOfAnotherMessage: Mutant = {
  socket: (socket) => {
    let last: string | undefined;
    patchWrites(socket, /(?<=^id: )\S+(?=\nevent: next\n)/gm, (id) => {
      const wrong = last?.length === id.length ? last : id;
      last = id;
      return wrong;
    });
  },
};

export const mutants = {
  'a skipped replay': skippedReplay,
  'a snapshot fence that is one too high': snapshotFenceTooHigh,
  'a join boundary that is one too high': joinBoundaryTooHigh,
  'a join boundary that is one too low': joinBoundaryTooLow,
  'a lost flush': lostFlush,
  'a count of dropped messages that is off by one': droppedOffByOne,
  'an SSE id of another message': idOfAnotherMessage,
  'a fresh snapshot after an overflow that resumes one change late': overflowResumesLate,
} satisfies Record<string, Mutant>;

/** Not broken: the same patches without a fault, so that what is caught is the fault and not the patch. */
export const soundPatch: Mutant = {
  hub: (hub) => ofFrames(() => () => true).hub!(hub),
  socket: (socket) => patchWrites(socket, /"dropped":\d+|^id: \S+/gm, (text) => text),
};

function ofSubscribe(wrap: (subscribe: Subscribe) => Subscribe): Mutant {
  return {
    hub: (hub) => {
      hub.subscribe = wrap(hub.subscribe.bind(hub));
    },
  };
}

/** Leaves out the frames that this subscription's filter does not want. */
function ofFrames(filterOf: (request: Parameters<Subscribe>[0]) => (frame: Frame) => boolean): Mutant {
  return ofSubscribe((subscribe) => (request, sink) => {
    const wants = filterOf(request);
    const next: Next = (batch, ...rest) => {
      const kept = new Set(batch.frames.filter(wants));
      const left = batch.filter((frame) => kept.has(frame));
      if (left) sink.deliver(left, ...rest);
    };
    return subscribe(request, withDeliver(sink, next));
  });
}

/** The same sink, of whatever kind, with another `deliver`. */
function withDeliver(sink: Sink, next: Next): Sink {
  return new Proxy(sink, {
    get(target, property) {
      if (property === 'deliver') return next;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
