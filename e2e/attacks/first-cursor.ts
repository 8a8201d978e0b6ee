import { until } from '@tidegate/testing';

/** Returns the first cursor of an event stream, which is then closed. */
export async function firstCursor(
  url: string,
  query: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const controller = new AbortController();
  const response = await fetch(`${url}?${new URLSearchParams({ query }).toString()}`, {
    headers: { ...headers, accept: 'text/event-stream' },
    signal: controller.signal,
  });
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body!) text += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => undefined);
  const cursor = await until(() => /^id: (\S+)$/m.exec(text)?.[1], { what: 'the first cursor' });
  controller.abort();
  await reading;
  return cursor;
}
