import { describeConsumer } from '../conformance/consumer.ts';
import { openOnFiles } from '../conformance/on-sqlite.ts';

describeConsumer('SQLite', () => openOnFiles());
