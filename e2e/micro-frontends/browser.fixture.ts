import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

/** Chromium, as the machine has it. */
export const chromiumPath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** False, and said aloud, where there is none. */
export function hasChromium(): boolean {
  if (existsSync(chromiumPath)) return true;
  console.warn(`SKIPPED: no Chromium at ${chromiumPath}; set CHROMIUM_PATH to run the browser's tests`);
  return false;
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
