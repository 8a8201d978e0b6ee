import { existsSync } from 'node:fs';
import { chromiumPathFromEnv } from '@tidegate/testing';
import { chromium, type Browser } from 'playwright-core';

const DEFAULT_PATH = '/usr/bin/chromium';

/** Returns the path of Chromium: `CHROMIUM_PATH` or the default; undefined, with a warning, when it does not exist. */
export function findChromium(): string | undefined {
  const path = chromiumPathFromEnv() ?? DEFAULT_PATH;
  if (existsSync(path)) return path;
  console.warn(`SKIPPED: no Chromium at ${path}; set CHROMIUM_PATH to run the browser's tests`);
  return undefined;
}

/** Starts Chromium without updates and network look-ups, and without the sandbox, which root cannot use. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
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
