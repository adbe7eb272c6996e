import { beforeAll } from '@jest/globals';
import { closeAfterFile } from '../../support/closing.js';

/** Not at the beginning of a second, so that it matters which times are rounded. */
const NOW = Date.UTC(2030, 5, 15, 12, 0, 0, 750);

/** The time of all tests of a file; only the clock of a sandbox moves. */
export function freezeTime(): void {
  beforeAll(() => {
    const { now } = Date;
    Date.now = () => NOW;
    closeAfterFile(() => (Date.now = now));
  });
}
