let silenced = false;

/**
 * Drops Node's warning about negative timer delays when kafkajs causes it; every other warning is emitted. kafkajs
 * 2.2.4 sets such timers, harmlessly (its issue 1751), and Node 24 warns of the first one in a process.
 */
export function silenceNegativeTimeoutOfKafkajs(): void {
  if (silenced) return;
  silenced = true;
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: never[]): void => {
    const name: unknown = rest[0];
    if (name === 'TimeoutNegativeWarning' && new Error().stack?.includes('kafkajs')) return;
    emitWarning(warning, ...rest);
  };
}
