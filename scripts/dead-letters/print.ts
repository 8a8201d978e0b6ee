import type { StoredDeadLetter } from '@tidegate/messaging';

/** Returns a letter as one line, or as JSON without headers and value. */
export function letterLine(letter: StoredDeadLetter, json: boolean): string {
  const { id, group, topic, position, key, reason, state } = letter;
  const at = new Date(letter.atMs).toISOString();
  if (json) return JSON.stringify({ id, at, state, group, topic, position, key, reason });
  const record = position === undefined ? topic : `${topic} ${position}`;
  const done = state === 'open' ? '' : `[${state}] `;
  return `${id}  ${at}  ${group}  ${record}  ${quoted(key)}  ${done}${oneLine(reason)}`;
}

/** Returns a letter with its headers and its value, as text where it is UTF-8 and in base64 else. */
export function letterPage(letter: StoredDeadLetter, json: boolean): string {
  const { headers, value, truncatedBytes } = letter;
  const text = textOf(value);
  if (json) {
    const summary = JSON.parse(letterLine(letter, true)) as object;
    const content = text === undefined ? { base64: value?.toString('base64') } : { value: text };
    return JSON.stringify({ ...summary, headers, ...content, truncatedBytes });
  }
  const lines = Object.entries(headers).map(([name, header]) => `  ${name}: ${oneLine(header)}`);
  const size = truncatedBytes === undefined ? '' : ` (the beginning of ${truncatedBytes} bytes)`;
  const content = text ?? value!.toString('base64');
  return [letterLine(letter, false), ...lines, `value${size}:`, content, ''].join('\n');
}

/** Undefined for bytes that are not UTF-8. */
function textOf(value: Buffer | null): string | undefined {
  if (value === null) return 'null';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    return undefined;
  }
}

/** A key or header may hold anything: control characters must not reach a terminal. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is removed
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
