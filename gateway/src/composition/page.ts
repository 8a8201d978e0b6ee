import type { Manifest } from './manifest.ts';
import { fileUrl, stylesheets, type PageComposition } from './page-composition.ts';
import { createNonce, pageSecurityHeaders } from './page-security.ts';

/** Renders the page that the shell's script fills. With the status 404 the shell says that there is no such page. */
export function renderPage(
  shell: Manifest,
  composition: PageComposition,
  requestUrl: URL,
  status: 200 | 404,
): Response {
  const nonce = createNonce();
  return new Response(html(shell, composition, nonce), {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      // Nonce and composition change; scripts and stylesheets are cached by the hash in their names.
      'cache-control': 'no-cache',
      ...pageSecurityHeaders(nonce, requestUrl),
    },
  });
}

/** Renders the answer while no shell has ever been deployed. The browser retries every 5 s. */
export function renderUnavailable(): Response {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<title>Tidegate</title><meta name="color-scheme" content="light dark">
<body><h1>Not here yet</h1><p>The page has not been deployed. This tries again every five seconds.</p></body></html>`;
  return new Response(page, {
    status: 503,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'retry-after': '5',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    },
  });
}

function html(shell: Manifest, composition: PageComposition, nonce: string): string {
  const entryUrl = fileUrl(shell, shell.entry);
  const preloads = [...new Set([shell.entry, ...Object.values(shell.exposes)])];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tidegate</title>
<link rel="icon" href="${ICON}">
${stylesheets(shell)
  .map(({ url, integrity }) => `<link rel="stylesheet" href="${url}" integrity="${integrity}">`)
  .join('\n')}
<script type="importmap" nonce="${nonce}">${scriptJson(composition.importMap)}</script>
${preloads.map((file) => `<link rel="modulepreload" href="${fileUrl(shell, file)}" integrity="${shell.integrity[file]}">`).join('\n')}
<script type="application/json" id="composition">${scriptJson(composition)}</script>
<script type="module" nonce="${nonce}" src="${entryUrl}" integrity="${shell.integrity[shell.entry]}"></script>
</head>
<body>
<div id="root" data-mfe="shell"></div>
<noscript>Tidegate shows what happens as it happens, and needs JavaScript for it.</noscript>
</body>
</html>
`;
}

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b7285"/><path d="M5 14c4-4 7-4 11 0s7 4 11 0M5 21c4-4 7-4 11 0s7 4 11 0" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>',
)}`;

/** Encodes JSON for a script element: without `<`, it cannot end the element. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', String.raw`\u003c`);
}
