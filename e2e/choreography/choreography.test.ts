import { describeChoreography } from './choreography-suite.ts';
import { createEmbeddedStorage } from './storage.ts';

describeChoreography('SQLite', createEmbeddedStorage);
