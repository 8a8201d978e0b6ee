import { text } from '@tidegate/runtime/config';

/** Environment variable of every service and of every process that calls one. See `CallerKeys`. */
export const serviceSecrets = {
  SERVICE_SECRETS: text(
    'what calls of services are signed with: secrets of at least 32 characters, separated by commas, the newest first',
  ).regex(/^[^,]{32,}(,[^,]{32,})*$/),
};
