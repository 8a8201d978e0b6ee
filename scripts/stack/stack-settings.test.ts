import { describe, expect, it } from 'vitest';
import { stackSettings } from './stack-settings.ts';
import { defaultPorts } from './stack.ts';

describe('the settings of the stack', () => {
  it('default to ports other than the usual ones', () => {
    expect(stackSettings({}).ports).toEqual(defaultPorts);
    expect(Object.values(defaultPorts).every((port) => port > 25_000)).toBe(true);
  });

  it('are overridden by STACK_* variables', () => {
    const { ports, directory } = stackSettings({ STACK_REDIS_PORT: '7000', STACK_DIR: '/var/stack' });
    expect(ports).toEqual({ ...defaultPorts, redis: 7_000 });
    expect(directory).toBe('/var/stack');
  });

  it('report a malformed variable and the expected value', () => {
    expect(() => stackSettings({ STACK_KAFKA_PORT: 'abc' })).toThrow(
      'STACK_KAFKA_PORT is "abc"; it expects the TCP port of Kafka: a whole number from 1 to 65535',
    );
  });
});
