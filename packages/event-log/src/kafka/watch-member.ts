import type { GroupConsumer } from '../kafka.ts';

/**
 * Tells when a group member had better be replaced. kafkajs goes on asking a broker that does not answer, and may
 * stop without a word; both look healthy from outside.
 */
export function watchMember(
  consumer: GroupConsumer,
  silenceMs: number,
  giveUp: (error: Error) => void,
): { stop(): void } {
  const { events } = consumer;
  let lastSignMs = Date.now();
  const sign = (): void => void (lastSignMs = Date.now());
  const forget = [
    consumer.on(events.HEARTBEAT, sign),
    consumer.on(events.GROUP_JOIN, sign),
    consumer.on(events.REBALANCING, sign),
    consumer.on(events.REQUEST_TIMEOUT, ({ payload }) =>
      giveUp(new Error(`Broker ${payload.broker} did not answer to ${payload.apiName}.`)),
    ),
  ];
  const timer = setInterval(() => {
    if (Date.now() - lastSignMs > silenceMs) giveUp(new Error(`No heartbeat for ${silenceMs} ms.`));
  }, silenceMs / 4);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      for (const off of forget) off();
    },
  };
}
