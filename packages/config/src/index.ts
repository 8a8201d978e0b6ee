export { parseConfig } from './parse-config.ts';
export { flag, hostPorts, integer, listOf, port, secret, text, url } from './fields.ts';
