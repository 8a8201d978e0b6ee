/** Maximum size of an operation id in UTF-8, over every transport. It is part of each message to the client. */
export const MAX_OPERATION_ID_BYTES = 128;
