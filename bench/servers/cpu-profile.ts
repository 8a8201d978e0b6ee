import { writeFile } from 'node:fs/promises';
import { Session, type Profiler } from 'node:inspector/promises';

/** One function of a profile and its share of the samples that were not idle. */
export interface ProfiledFunction {
  readonly name: string;
  readonly place: string;
  /** 0 to 1. */
  readonly share: number;
}

/** Records where this process spends its time. */
export function createCpuProfile(): {
  start(): Promise<void>;
  /** Writes the profile (for Chromium's tools) and resolves with the functions by their own time. */
  stop(path: string): Promise<ProfiledFunction[]>;
} {
  let session: Session | undefined;
  return {
    start: async () => {
      session = new Session();
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 200 });
      await session.post('Profiler.start');
    },
    stop: async (path) => {
      if (!session) throw new Error('no profile was started');
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      session = undefined;
      await writeFile(path, JSON.stringify(profile));
      return bySelfTime(profile);
    },
  };
}

function bySelfTime(profile: Profiler.Profile): ProfiledFunction[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const times = new Map<string, number>();
  let total = 0;
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const frame = nodes.get(id)!;
    // `post` is this profiler starting.
    if (frame.functionName === '(idle)' || frame.functionName === 'post') continue;
    const time = profile.timeDeltas?.[index] ?? 0;
    const place =
      frame.url === '' ? '' : `${frame.url.split('/').slice(-2).join('/')}:${frame.lineNumber + 1}`;
    const name = `${frame.functionName || '(anonymous)'}\n${place}`;
    times.set(name, (times.get(name) ?? 0) + time);
    total += time;
  }
  return [...times]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 40)
    .map(([key, time]) => {
      const [name = '', place = ''] = key.split('\n');
      return { name, place, share: time / total };
    });
}
