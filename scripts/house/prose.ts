import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { createLineLookup } from './line-lookup.ts';

/** One comment line or test title. */
export interface ProseLine {
  readonly kind: 'comment' | 'title';
  readonly path: string;
  /** Line number, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface FolderProse {
  readonly folder: string;
  /** Words in comments. */
  readonly words: number;
  /** Oblique words in comments. */
  readonly hits: number;
  readonly perThousand: number;
  readonly titles: number;
  readonly obliqueTitles: number;
  /** Comment lines and titles that hold an oblique word. */
  readonly lines: readonly ProseLine[];
}

/** Words that stand for a noun the writer did not name. */
const OBLIQUE = /\b(what|who|whoever|whom|those)\b/gi;
const WORD = /[A-Za-z']+/g;
const TITLE = /\b(?:it|describe|test)(?:\.\w+)*\(\s*(['"`])(.+?)\1/g;

/** Reads every comment line and test title below a folder of the repository. */
export function readProse(root: string, folder: string): ProseLine[] {
  return globSync(`${folder}/**/*.{ts,tsx,mjs}`, {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|dist|generated)(\/|$)/.test(path),
  }).flatMap((path) => proseOf(path, readFileSync(join(root, path), 'utf8')));
}

/** Returns the comment lines and test titles of one source file. */
export function proseOf(path: string, source: string): ProseLine[] {
  const lineAt = createLineLookup(source);
  const comments = parseSync(path, source).comments.flatMap(({ value, start }) =>
    value
      .split('\n')
      .map((text, index) => ({
        kind: 'comment' as const,
        path,
        line: lineAt(start) + index,
        text: text.replace(/^[\s*]+/, '').trim(),
      }))
      .filter(({ text }) => text !== ''),
  );
  const titles = [...source.matchAll(TITLE)].map((match) => ({
    kind: 'title' as const,
    path,
    line: lineAt(match.index),
    text: match[2]!,
  }));
  return [...comments, ...titles];
}

/** Counts the oblique words of a folder's comments and titles. */
export function measureProse(folder: string, lines: readonly ProseLine[]): FolderProse {
  const comments = lines.filter(({ kind }) => kind === 'comment');
  const titles = lines.filter(({ kind }) => kind === 'title');
  const words = comments.reduce((sum, { text }) => sum + count(text, WORD), 0);
  const hits = comments.reduce((sum, { text }) => sum + count(text, OBLIQUE), 0);
  return {
    folder,
    words,
    hits,
    perThousand: words === 0 ? 0 : (1000 * hits) / words,
    titles: titles.length,
    obliqueTitles: titles.filter(({ text }) => count(text, OBLIQUE) > 0).length,
    lines: lines.filter(({ text }) => count(text, OBLIQUE) > 0),
  };
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
