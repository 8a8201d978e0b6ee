export { parseConfig } from './parse-config.ts';
export {
  addressRanges,
  flag,
  hostPorts,
  integer,
  listOf,
  origins,
  port,
  secret,
  text,
  url,
} from './fields.ts';
