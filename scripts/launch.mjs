// Runs `ENTRY args` of an npm script on Node 24, independent of the machine's own `node`, also in a fresh clone.
// Plain JavaScript for Node 18 and newer: no file of the repository can be imported before `npm ci` has run.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const node24 = join(modules, '.bin', 'node');
const stampFile = join(modules, '.tidegate-stamp');

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) {
  console.error('usage: node scripts/launch.mjs ENTRY [ARGUMENT...]');
  process.exit(2);
}

installIfNeeded();
run();

/** The stamp is the hash of the lockfile: a checkout changes modification times. */
function installIfNeeded() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const missing = !existsSync(node24);
  if (!missing && installedStamp() === wanted) return;
  // An `npm install` by hand may have installed the same versions: npm's own record shows it.
  if (!missing && installedByHand()) return void writeFileSync(stampFile, wanted);
  const reason = missing ? 'are not installed yet' : 'are older than package-lock.json';
  console.error(`Tidegate: the dependencies ${reason}; running npm ci`);
  const install = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    // With NODE_ENV=production npm would omit the tools that the scripts need.
    env: { ...process.env, NODE_ENV: '' },
  });
  if (install.status !== 0) {
    process.stderr.write(install.stdout ?? '');
    console.error(
      `Tidegate: npm ci failed${install.error ? ` (${install.error.message})` : ''}; nothing was started`,
    );
    process.exit(install.status || 1);
  }
  if (!existsSync(node24)) {
    console.error(
      'Tidegate: npm ci left no Node 24 in node_modules/.bin/node; are install scripts switched off?',
    );
    process.exit(1);
  }
  writeFileSync(stampFile, wanted);
}

function installedStamp() {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return undefined;
  }
}

function installedByHand() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const installed = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([path, { version, optional, link }]) =>
        path === '' ||
        !path.startsWith('node_modules/') ||
        optional ||
        link ||
        installed[path]?.version === version,
    );
  } catch {
    return false;
  }
}

function run() {
  const child = spawn(node24, [join(root, entry), ...args], {
    stdio: 'inherit',
    // The script's own `node` commands use the same Node.
    env: { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH ?? ''}` },
  });
  // Ctrl-C in a terminal reaches the child directly, as a member of the same group: forwarding would send it twice.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  endWithNpm(child);
  child.on('error', (error) => {
    console.error(`Tidegate: ${node24} does not start: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0));
  });
}

/** Ends the child when npm was killed and cannot forward a signal. npm is the parent, because the script uses `exec`. */
function endWithNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const npm = process.ppid;
  setInterval(() => process.ppid === npm || child.kill('SIGTERM'), 500).unref();
}
