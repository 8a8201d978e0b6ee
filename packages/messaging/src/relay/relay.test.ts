import { openOnFiles } from '../conformance/on-sqlite.ts';
import { describeRelay } from '../conformance/relay.ts';

describeRelay('SQLite', () => openOnFiles(), { concurrentTransactions: false });
