export { errorCodes, isErrorCode, type ErrorCode, type ErrorCodeEntry } from './errors/codes.ts';
export {
  TidegateError,
  toTidegateError,
  encodeErrorBody,
  toldToClient,
  decodeErrorBody,
  type ErrorBody,
} from './errors/tidegate-error.ts';
export {
  decodeEnvelope,
  encodeEnvelope,
  encodeStructured,
  type EncodedEnvelope,
  type Envelope,
} from './messages/envelope.ts';
export {
  createMessage,
  createMessageParser,
  defineMessage,
  type DataOf,
  type Message,
  type MessageDefinition,
} from './messages/message-definition.ts';
export {
  deadLetterTopic,
  redrivenTopic,
  defineTopic,
  RESUME_WINDOW_MS,
  topicSpecs,
  type TopicDefinition,
} from './messages/topic-definition.ts';
export { defineOperation, type InputOf, type OperationDefinition, type OutputOf } from './operation.ts';
export {
  decodeConsistencyToken,
  encodeConsistencyToken,
  mergeConsistencyTokens,
  type ConsistencyToken,
  type VersionFloor,
} from './consistency-token.ts';
