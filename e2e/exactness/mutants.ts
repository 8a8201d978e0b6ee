import type { Socket } from 'node:net';
import type { Gateway } from '@tidegate/gateway';
import { patchWrites } from './patch-writes.ts';

type Hub = Gateway['hub'];
type Subscribe = Hub['subscribe'];
type Sink = Parameters<Subscribe>[1];
type Deliver = Sink['deliver'];
type Batch = Parameters<Deliver>[0];
type Frame = Batch['frames'][number];

/** Patches a fault into a gateway. */
export interface Mutant {
  /** Patches `hub.subscribe`, which every subscription goes through. */
  readonly hub?: (hub: Hub) => void;
  /** Patches the bytes written to a connection. */
  readonly socket?: (socket: Socket) => void;
}

/** A resume starts from now: the changes since the cursor are not replayed. */
const skippedReplay = ofSubscribe((subscribe) => (request, sink) => {
  if (request.cursor === undefined) return subscribe(request, sink);
  const { cursor: _, snapshot: __, ...fromNow } = request;
  return subscribe(fromNow, sink);
});

/** `version <= floor + 1`: the change right after a snapshot is filtered out. */
const snapshotFenceTooHigh = ofFrames(() => {
  let floor: number | undefined;
  return (frame) => {
    if (frame.kind === 'change' && floor !== undefined && frame.version === floor + 1) return false;
    if (frame.kind === 'snapshot') floor = frame.version;
    return true;
  };
});

/** The change right after a fresh snapshot is filtered out; the first snapshot works correctly. */
const overflowResumesLate = ofFrames(({ cursor }) => {
  let hadMessage = cursor !== undefined;
  let skipped: number | undefined;
  return (frame) => {
    if (frame.kind === 'snapshot' && hadMessage) skipped = frame.version + 1;
    hadMessage = true;
    return frame.kind === 'snapshot' || frame.version !== skipped;
  };
});

/** `offset > position` instead of `>=`: the first change after a cursor is filtered out. */
const joinBoundaryTooHigh = ofFrames(({ cursor }) => {
  let skipping = cursor !== undefined;
  return () => {
    const isWanted = !skipping;
    skipping = false;
    return isWanted;
  };
});

/** A resume starts one message before the cursor. */
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

/** When several messages are buffered for one write, the last one is lost. */
const lostFlush = ofSubscribe((subscribe) => (request, sink) => {
  let buffered: Parameters<Deliver>[] = [];
  const flush = (): void => {
    const frames = buffered.flatMap(([batch]) => batch.frames);
    const lost = frames.length > 1 ? frames.at(-1) : undefined;
    for (const [batch, ...rest] of buffered) {
      const left = batch.filter((frame) => frame !== lost);
      if (left) sink.deliver(left, ...rest);
    }
    buffered = [];
  };
  const deliver: Deliver = (...message) => {
    if (buffered.push(message) === 1) setImmediate(flush);
  };
  return subscribe(request, withDeliver(sink, deliver));
});

/** `dropped` is wrong by one. The text keeps its length, as the frame does. */
const droppedOffByOne: Mutant = {
  socket: (socket) =>
    patchWrites(socket, /(?<="dropped":\d*)\d(?=[,}])/g, (digit) =>
      String(digit === '0' ? 1 : Number(digit) - 1),
    ),
};

/** An event carries the id of the previous event. */
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

/** The same patches without a fault: proves that the oracle catches the faults and not the patching. */
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

/** Filters the frames of each subscription. */
function ofFrames(filterOf: (request: Parameters<Subscribe>[0]) => (frame: Frame) => boolean): Mutant {
  return ofSubscribe((subscribe) => (request, sink) => {
    const wants = filterOf(request);
    const deliver: Deliver = (batch, ...rest) => {
      const kept = new Set(batch.frames.filter(wants));
      const left = batch.filter((frame) => kept.has(frame));
      if (left) sink.deliver(left, ...rest);
    };
    return subscribe(request, withDeliver(sink, deliver));
  });
}

/** Wraps any sink, replacing `deliver`. */
function withDeliver(sink: Sink, deliver: Deliver): Sink {
  return new Proxy(sink, {
    get(target, property) {
      if (property === 'deliver') return deliver;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
