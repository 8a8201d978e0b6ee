export { parseConfig } from './parse-config.ts';
export { readPem } from './read-pem.ts';
export {
  addressRanges,
  flag,
  hostPorts,
  integer,
  listOf,
  oneOf,
  origins,
  pairs,
  port,
  secret,
  text,
  texts,
  url,
} from './fields.ts';
