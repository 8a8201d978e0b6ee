/** `npm run prose`: how comments and test titles read, by folder. The rules are in CONTRIBUTING.md. */
import { parseArgs } from 'node:util';
import { repositoryRoot } from '@tidegate/testing';
import { measureProse, readProse, type FolderProse } from './house/prose.ts';

const help = `npm run prose [-- FOLDER ... [--list]]

Counts the pronouns that stand for a noun ("what", "who", "whoever", "whom", "those") per 1,000 words of comments,
and the test titles that have one. Default folders: gateway packages, at most 4 in each.

  --list   print each comment and title that has one
  --max N  exit with 1 when a folder has more than N per 1,000 words`;

const { values, positionals } = parseArgs({
  options: { list: { type: 'boolean' }, max: { type: 'string' }, help: { type: 'boolean' } },
  allowPositionals: true,
});

if (values.help) console.log(help);
else {
  const folders = positionals.length > 0 ? positionals : ['gateway', 'packages'];
  const measured = folders.map((folder) => measureProse(folder, readProse(repositoryRoot, folder)));
  measured.forEach(print);
  const max = values.max === undefined ? Infinity : Number(values.max);
  process.exitCode = measured.some(({ perThousand }) => perThousand > max) ? 1 : 0;
}

function print({ folder, words, hits, perThousand, titles, obliqueTitles, lines }: FolderProse): void {
  console.log(
    `${folder}: ${perThousand.toFixed(1)} per 1,000 comment words (${hits} of ${words}); ` +
      `${obliqueTitles} of ${titles} test titles`,
  );
  if (values.list) for (const { path, line, text } of lines) console.log(`  ${path}:${line}  ${text}`);
}
