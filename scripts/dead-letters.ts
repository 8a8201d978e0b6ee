/** `npm run dead-letters`: what consumers could not use, for an operator. */
import { parseArgs } from 'node:util';
import { TidegateError } from '@tidegate/core';
import { DeadLetterBox, type StoredDeadLetter } from '@tidegate/messaging';
import { openLog } from './dead-letters/open-log.ts';
import { letterLine, letterPage } from './dead-letters/print.ts';

const help = `npm run dead-letters -- COMMAND [ID ...] [--group G] [--topic T] [--all] [--json]

Records that a consumer, or a relay, could not use.

  list                 the open ones, a line each: id, time, group, topic and record, key, reason
  show ID ...          whole letters: headers and value
  redrive ID ...       sends them to their group again, and to no other: after its fault was mended
  discard ID ...       marks them as needed by nobody

  ID         partition and offset among the dead letters, as list prints it: 2/17
  --group G  those of this consumer group; with redrive and discard in place of ids
  --topic T  those of records of this topic; likewise
  --all      with list: redriven and discarded ones too
  --json     one JSON object a line

On Kafka with KAFKA_BROKERS and the other KAFKA_ variables, else on the log in DATA_DIR (default .data). npm start may
run meanwhile: it takes a redriven letter up within 10 s. Redriving a letter twice is safe. A letter keeps no place in the
order of its key: later records have been handled.`;

const commands = ['list', 'show', 'redrive', 'discard'] as const;
type Command = (typeof commands)[number];

interface Choice {
  readonly ids: ReadonlySet<string>;
  readonly group: string | undefined;
  readonly topic: string | undefined;
}

try {
  await main();
} catch (error) {
  console.error(`dead-letters: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      group: { type: 'string' },
      topic: { type: 'string' },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(help);
  const [command, ...ids] = positionals;
  if (!isCommand(command)) throw new Error(`the first word is one of ${commands.join(', ')}; see --help`);
  const choice = { ids: new Set(ids), group: values.group, topic: values.topic };
  requireChoice(command, choice);

  const log = openLog();
  try {
    const box = new DeadLetterBox(log);
    await (command === 'list' ? list(box, choice, values) : actOn(command, box, choice, values.json));
  } finally {
    await log.close();
  }
}

/** @throws Error when the command would act on nothing that was named, or on everything. */
function requireChoice(command: Command, { ids, group, topic }: Choice): void {
  const malformed = [...ids].find((id) => !/^\d+\/\d+$/.test(id));
  if (malformed !== undefined)
    throw new Error(`${malformed} is not an id: it looks like 2/17, as list prints it`);
  if (command === 'list' && ids.size > 0) throw new Error('list takes no ids; show does');
  if (command === 'show' && ids.size === 0) throw new Error('show needs at least one id');
  const isOpenEnded = ids.size === 0 && group === undefined && topic === undefined;
  if (command !== 'list' && isOpenEnded) throw new Error(`${command} needs ids, or --group or --topic`);
}

async function list(
  box: DeadLetterBox,
  choice: Choice,
  { all, json }: { readonly all: boolean; readonly json: boolean },
): Promise<void> {
  let count = 0;
  for await (const letter of chosen(box, choice)) {
    if (!all && letter.state !== 'open') continue;
    count += 1;
    console.log(letterLine(letter, json));
  }
  if (!json) console.log(count === 0 ? 'No dead letters.' : `${count} dead letters.`);
}

async function actOn(
  command: Exclude<Command, 'list'>,
  box: DeadLetterBox,
  choice: Choice,
  json: boolean,
): Promise<void> {
  const missing = new Set(choice.ids);
  for await (const letter of chosen(box, choice)) {
    missing.delete(letter.id);
    if (command === 'show') console.log(letterPage(letter, json));
    else if (letter.state === 'open' || choice.ids.size > 0) await resolve(command, box, letter);
  }
  if (missing.size > 0) throw new Error(`there is no dead letter ${[...missing].join(', ')}; see list --all`);
}

/** One letter that cannot be redriven does not hold up the others. */
async function resolve(
  command: 'redrive' | 'discard',
  box: DeadLetterBox,
  letter: StoredDeadLetter,
): Promise<void> {
  try {
    await box[command](letter);
    console.log(`${letter.id} ${command === 'redrive' ? 'redriven to' : 'discarded for'} ${letter.group}`);
  } catch (error) {
    if (!(error instanceof TidegateError) || error.code === 'UNAVAILABLE') throw error;
    console.error(`${letter.id} stays: ${error.message}`);
    process.exitCode = 1;
  }
}

async function* chosen(box: DeadLetterBox, { ids, group, topic }: Choice): AsyncGenerator<StoredDeadLetter> {
  for await (const letter of box.letters()) {
    const isChosen =
      (ids.size === 0 || ids.has(letter.id)) &&
      (group === undefined || letter.group === group) &&
      (topic === undefined || letter.topic === topic);
    if (isChosen) yield letter;
  }
}

function isCommand(word: string | undefined): word is Command {
  return (commands as readonly (string | undefined)[]).includes(word);
}
