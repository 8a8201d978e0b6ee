// Runs `ENTRY args` of an npm script on Node 24, whatever `node` the machine has, on a clean clone as well.
// Plain JavaScript for Node 18 and newer: nothing of the repository can be imported before `npm ci` has run.
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

/** The stamp is the lockfile's hash: times are no evidence, a checkout sets them as it likes. */
function installIfNeeded() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const missing = !existsSync(node24);
  if (!missing && installedStamp() === wanted) return;
  // An `npm install` by hand has written the same versions: npm's own record of what lies there says so.
  if (!missing && installedByHand()) return void writeFileSync(stampFile, wanted);
  const why = missing ? 'are not installed yet' : 'are older than package-lock.json';
  console.error(`Tidegate: the dependencies ${why}; running npm ci`);
  const install = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    // A production environment would leave out the tools that the scripts need.
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
    // What the script starts by the name `node` shall be the same Node.
    env: { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH ?? ''}` },
  });
  // Ctrl-C in a terminal reaches the child by itself, as it is in the same group: passing it on would make two.
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

/** npm that is killed can pass nothing on; what it started must not keep its ports. `exec` makes npm the parent. */
function endWithNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const npm = process.ppid;
  setInterval(() => process.ppid === npm || child.kill('SIGTERM'), 500).unref();
}
