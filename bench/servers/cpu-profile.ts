import { writeFile } from 'node:fs/promises';
import { Session, type Profiler } from 'node:inspector/promises';

/** One function of a profile. */
export interface ProfiledFunction {
  readonly name: string;
  readonly place: string;
  /** Share of the time that was not idle, 0 to 1. */
  readonly share: number;
}

/** Samples the CPU use of this process every 200 µs. */
export class CpuProfiler {
  #session: Session | undefined;

  async start(): Promise<void> {
    const session = new Session();
    this.#session = session;
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 200 });
    await session.post('Profiler.start');
  }

  /** Writes the profile for Chromium's tools. Resolves with the 40 functions with the most self time. */
  async stop(path: string): Promise<ProfiledFunction[]> {
    if (!this.#session) throw new Error('no profile was started');
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    this.#session = undefined;
    await writeFile(path, JSON.stringify(profile));
    return bySelfTime(profile);
  }
}

function bySelfTime(profile: Profiler.Profile): ProfiledFunction[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const times = new Map<string, number>();
  let total = 0;
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const frame = nodes.get(id)!;
    // `post` belongs to the profiler itself.
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
