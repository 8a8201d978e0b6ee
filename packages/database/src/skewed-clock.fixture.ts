/** Prints the difference between this machine's clock and the database's, in milliseconds. */
import { DatabaseClock } from './database-clock.ts';
import { createPostgresDatabase } from './postgres.ts';

const database = createPostgresDatabase({ url: process.env['DATABASE_URL']!, schema: 'skewed_clock' });
const clock = new DatabaseClock(database);
await clock.start();
console.log(`ahead by ${Date.now() - clock.now()}`);
clock.stop();
await database.close();
