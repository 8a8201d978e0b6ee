/** What a gateway says it holds: of WebSockets and event streams, of subscriptions, of groups. */
export interface LiveCounts {
  readonly connections: number;
  readonly subscriptions: number;
  readonly groups: number;
}

/** Reads them from `/metrics`. */
export async function liveCounts(url: string): Promise<LiveCounts> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
  const sum = (name: string): number =>
    lines
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  return {
    connections: sum('tidegate_live_connections'),
    subscriptions: sum('tidegate_live_subscriptions'),
    groups: sum('tidegate_live_groups'),
  };
}
