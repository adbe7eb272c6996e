import { describe } from '@jest/globals';
import { leaveTraces } from './support/isolation.js';

describe('one of two spec files', () => {
  leaveTraces();
});
