import { BerbixTokens } from 'nestjs-berbix';
import { advance } from '../../renewal/support/virtual-time.js';
import type { World } from '../../renewal/support/world.js';
import type { Steps } from './steps.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const [ADA, BOB, ONE] = [{ customerUid: 'ada' }, { customerUid: 'bob' }, { transactionId: '1' }];
const STRICT = { freshness: { rotation: 'strict' } } as const;

type Scenario = (world: World, steps: Steps) => Promise<void>;

/** Calls of replicas; the steps of each are in a file of its name. */
export const RENEWALS: Record<string, Scenario> = {
  'tokens as they age': async (world, steps) => {
    const replica = await world.start();
    const created = world.api.create('1');
    await steps.remember(replica, created, 'ada');
    await steps.fresh(replica, ADA);
    await steps.fresh(replica, ADA);
    await advance(31 * SECOND);
    await steps.fresh(replica, ADA);
    await steps.fresh(replica, ONE);
    await steps.fresh(replica, ONE, { refused: created.accessToken });
    // Stale: they are renewed in the background.
    await advance(50 * MINUTE);
    world.api.latencyMs = 400;
    await steps.fresh(replica, ADA);
    await advance(SECOND);
    await steps.fresh(replica, ADA);
    await steps.fresh(replica, ADA, { leewayMs: 59 * MINUTE });
    await steps.fresh(replica, ADA, { leewayMs: 20 * MINUTE });
    await advance(2 * HOUR);
    await steps.fresh(replica, ADA);
    await steps.forget(replica, ADA);
    await steps.fresh(replica, ADA);
    await steps.fresh(replica, ONE);
    await steps.fresh(replica, BOB);
  },

  'refresh tokens without their transaction': async (world, steps) => {
    const replica = await world.start();
    const { refreshToken } = world.api.create('1');
    await steps.remember(replica, refreshToken, 'ada @ home');
    await steps.fresh(replica, { customerUid: 'ada @ home' });
    await steps.fresh(replica, ONE);
    await steps.remember(replica, refreshToken, 'ada @ home');
    await steps.remember(replica, refreshToken, 'bob');
    await advance(HOUR);
    await steps.remember(replica, world.api.reissue('1').refreshToken, 'bob');
    await steps.fresh(replica, BOB);
    await steps.forget(replica, BOB);
    await steps.fresh(replica, { customerUid: 'ada @ home' });
  },

  'refresh tokens that are replaced': async (world, steps) => {
    world.api.habit = 'strict';
    const [replica, other] = [await world.start(STRICT), await world.start()];
    const created = world.api.create('1');
    await steps.remember(replica, created.refreshToken, 'ada');
    await steps.fresh(replica, ADA);
    await advance(HOUR);
    await steps.fresh(other, ONE);
    await steps.remember(replica, created.refreshToken, 'ada');
    await steps.remember(replica, created, 'ada');
    const { refreshToken } = world.api.create('2');
    await steps.fresh(replica, refreshToken);
    await advance(HOUR);
    await steps.fresh(replica, refreshToken);
  },

  'spare refresh tokens': async (world, steps) => {
    world.api.habit = 'strict';
    const replica = await world.start(STRICT);
    const right = world.api.create('1');
    await steps.remember(replica, right, 'ada');
    await advance(HOUR);
    await steps.fresh(replica, ONE);
    for (const name of ['one', 'two', 'three', 'four']) {
      await steps.remember(replica, `canary-wrong-${name}`, 'ada');
      await steps.remember(replica, bare(`canary-wrong-${name}`));
    }
    await steps.remember(replica, 'canary-wrong-two', 'ada');
    await advance(HOUR);
    await steps.fresh(replica, ONE);
    await steps.fresh(replica, ADA);
    await advance(MINUTE);
    await steps.remember(replica, world.api.tokensOf('1'), 'ada');
    await steps.fresh(replica, ONE);
  },

  'transactions of a customer': async (world, steps) => {
    const replica = await world.start();
    for (const id of ['1', '2', '3']) await steps.remember(replica, world.api.create(id), 'ada');
    await steps.fresh(replica, ADA);
    await steps.remember(replica, world.api.tokensOf('1'), 'ada');
    await steps.remember(replica, world.api.tokensOf('1'), 'ada');
    await steps.remember(replica, world.api.tokensOf('2'), 'bob');
    await steps.remember(replica, world.api.tokensOf('3'));
    await steps.forget(replica, ONE);
    await steps.fresh(replica, ADA);
    await steps.remember(replica, world.api.tokensOf('1'), 'ada');
    await steps.forget(replica, ADA);
    await steps.forget(replica, ADA);
    await steps.remember(replica, world.api.tokensOf('1'), 'ada');
    await steps.fresh(replica, BOB);
  },

  'two records of one transaction': async (world, steps) => {
    world.api.habit = 'strict';
    const replica = await world.start(STRICT);
    const created = world.api.create('1');
    await steps.remember(replica, bare(created.refreshToken), 'bob');
    await steps.remember(replica, created.refreshToken, 'ada');
    await steps.fresh(replica, ADA);
    await steps.fresh(replica, BOB);
    await advance(HOUR);
    await steps.remember(replica, world.api.reissue('1').refreshToken, 'ada');
    await steps.fresh(replica, ONE);
    await steps.fresh(replica, ADA);
    await steps.forget(replica, ADA);
    const { refreshToken } = world.api.create('2');
    await steps.remember(replica, refreshToken, 'eve');
    await steps.remember(replica, bare(refreshToken, '2'));
    await steps.remember(replica, bare(refreshToken, '2'), 'eve');
    await steps.fresh(replica, { transactionId: '2' });
  },

  'tokens of the application': async (world, steps) => {
    const table: Record<string, string | undefined> = { ada: world.api.create('1').refreshToken };
    const rotations: string[] = [];
    const replica = await world.start({
      loadTokens: (owner) => Promise.resolve(table[(owner as typeof ADA).customerUid]),
      onRotation: async ({ tokens, previousRefreshToken, customerUid }) => {
        rotations.push(`${customerUid}: ${tokens.refreshToken}, not ${previousRefreshToken}`);
        if (rotations.length === 1) throw new TypeError('the table is locked');
      },
    });
    await steps.fresh(replica, ADA);
    await steps.fresh(replica, BOB);
    world.api.habit = 'strict';
    await advance(HOUR);
    await steps.fresh(replica, ADA);
    await steps.fresh(replica, ADA);
    await advance(5 * SECOND);
    await steps.fresh(replica, ADA);
    table['ada'] = world.api.reissue('1').refreshToken;
    await advance(HOUR);
    await steps.fresh(replica, ADA);
    await steps.of('the rotations', Promise.resolve(rotations.join('; ')));
  },
};

function bare(refreshToken: string, transactionId = '1'): BerbixTokens {
  return new BerbixTokens({ refreshToken, transactionId });
}
