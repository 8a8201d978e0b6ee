let silenced = false;

/**
 * kafkajs 2.2.4 sets timers with negative delays, harmlessly, and Node 24 warns of each process's first one (its
 * issue 1751). Drops that warning alone: of this name and out of kafkajs's own code.
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
