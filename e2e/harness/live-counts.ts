/** Connections, subscriptions and groups of a gateway. */
export interface LiveCounts {
  readonly connections: number;
  readonly subscriptions: number;
  readonly groups: number;
}

/** Reads the counts from `/metrics`. */
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
