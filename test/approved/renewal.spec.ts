import { describe, it } from '@jest/globals';
import { eachWorld } from '../renewal/support/world.js';
import { expectApproved } from './support/approved.js';
import { LIMITS } from './support/limits.js';
import { RENEWALS } from './support/renewals.js';
import { REPETITIONS } from './support/repetitions.js';
import { Steps } from './support/steps.js';
import { TROUBLES } from './support/troubles.js';
import { VERIFICATIONS } from './support/verifications.js';

describe('the calls to the store and the API, the events and the log', () => {
  const the = eachWorld();

  it.each(
    Object.entries({ ...RENEWALS, ...TROUBLES, ...LIMITS, ...VERIFICATIONS, ...REPETITIONS }),
  )('with %s, are those approved', async (name, scenario) => {
    // Stale tokens are handed out, and the log says why.
    if (!(name in RENEWALS)) the.world.watch.isTroubled = true;
    const steps = new Steps(the.world);
    await scenario(the.world, steps);
    expectApproved(`renewal/${name.replaceAll(/,? /g, '-')}.txt`, steps.text);
  });
});
