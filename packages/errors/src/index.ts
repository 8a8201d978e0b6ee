export { errorCodes, isErrorCode, type ErrorCode, type ErrorCodeEntry } from './codes.ts';
export {
  TidegateError,
  toTidegateError,
  encodeErrorBody,
  decodeErrorBody,
  type ErrorBody,
} from './tidegate-error.ts';
