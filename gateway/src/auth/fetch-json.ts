/** Maximum size of a document of an identity provider, in bytes. Key sets of the large ones have about 20 KiB. */
const MAX_DOCUMENT_BYTES = 1024 * 1024;

/**
 * Fetches a JSON document of at most 1 MiB.
 *
 * @param timeoutMs deadline of the whole exchange, the body included, in milliseconds.
 * @throws Error for any status but 200 (redirects are not followed), a body that is larger or no JSON, and a timeout.
 */
export async function fetchJson(url: string, timeoutMs: number): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_DOCUMENT_BYTES) throw new Error(`${url} answered more than ${MAX_DOCUMENT_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks, size).toString());
  } catch (error) {
    throw new Error(`${url} answered no JSON`, { cause: error });
  }
}
