/** Entry of the load generator of every server: groups of connections, driven by the measurement's requests. */
import { answerRequests, reportReady } from '../processes/requests.ts';
import { LoadGroup, type LoadGroupOptions } from './load-group.ts';

const groups = new Map<string, LoadGroup>();

function group(name: string): LoadGroup {
  const found = groups.get(name);
  if (!found) throw new Error(`there is no group ${name}`);
  return found;
}

const handlers = {
  /** Opens a group. Resolves with its counts when each connection is subscribed or gone. */
  open: async ({ name, options }: { name: string; options: LoadGroupOptions }) => {
    const opened = new LoadGroup(options);
    groups.set(name, opened);
    await opened.open();
    return opened.counts();
  },
  counts: (name: string) => group(name).counts(),
  received: ({ name, count, timeoutMs }: { name: string; count: number; timeoutMs: number }) =>
    group(name).receivedAtLeast(count, timeoutMs),
  allClosed: (name: string) => group(name).allClosed(10_000),
  reopen: async ({ name, port }: { name: string; port: number }) => {
    await group(name).reopen(port);
    return group(name).counts();
  },
  caughtUp: ({ name, versions, timeoutMs }: { name: string; versions: number; timeoutMs: number }) =>
    group(name).caughtUp(versions, timeoutMs),
  deliveries: ({ name, versions }: { name: string; versions: number }) => group(name).deliveries(versions),
  takeDelays: (name: string) => group(name).takeDelays(),
  pause: ({ name, count }: { name: string; count: number }) => group(name).pause(count),
  resume: ({ name, count }: { name: string; count: number }) => group(name).resume(count),
  close: async (name: string) => {
    await group(name).close();
    groups.delete(name);
  },
  cpuSeconds: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
};

export type LoadHandlers = typeof handlers;

answerRequests(handlers);
reportReady({});
