import { describe } from '@jest/globals';
import { leaveTraces } from './support/isolation.js';

describe('the other of two spec files', () => {
  leaveTraces();
});
