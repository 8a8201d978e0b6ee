// The health check of every container: 0 when this process's /readyz answers 200. The slim image has no curl.
const response = await fetch(`http://127.0.0.1:${process.env.PORT}/readyz`, {
  signal: AbortSignal.timeout(3_000),
});
if (!response.ok) console.error(await response.text());
process.exit(response.ok ? 0 : 1);
