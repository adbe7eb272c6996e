import { BerbixVerificationService, type BerbixVerificationOptions } from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { advance } from '../../renewal/support/virtual-time.js';
import type { Replica, World } from '../../renewal/support/world.js';
import type { Steps } from './steps.js';
import { TransactionsApi } from './transactions-api.js';

const [SECOND, MINUTE] = [1_000, 60_000];
const SDK = { templateKey: 'tk_1' };

type Scenario = (world: World, steps: Steps) => Promise<void>;

/** The calls of one replica, all for one customer. */
class Customer {
  readonly #service: BerbixVerificationService;

  constructor(
    private readonly steps: Steps,
    private readonly replica: Replica,
    readonly uid = 'ada',
  ) {
    this.#service = replica.module.get(BerbixVerificationService);
  }

  begin(options: BerbixVerificationOptions = SDK): Promise<void> {
    const what = `begin(${this.uid}, ${JSON.stringify(options)})`;
    return this.#call(what, firstValueFrom(this.#service.begin(this.uid, options)));
  }

  reverify(): Promise<void> {
    return this.#call('reverify()', firstValueFrom(this.#service.reverify(this.uid, SDK)));
  }

  async look(): Promise<void> {
    await this.#call(`result(${this.uid})`, firstValueFrom(this.#service.result(this.uid)));
    await this.#call(`history(${this.uid})`, firstValueFrom(this.#service.history(this.uid)));
  }

  erase(): Promise<void> {
    return this.#call(`erase(${this.uid})`, firstValueFrom(this.#service.erase(this.uid)));
  }

  #call(what: string, call: Promise<unknown>): Promise<void> {
    return this.steps.of(`${this.replica.name}: ${what}`, call);
  }
}

/** Verifications of customers; the steps of each are in a file of its name. */
export const VERIFICATIONS: Record<string, Scenario> = {
  'verifications that are begun, resumed and erased': async (world, steps) => {
    const api = TransactionsApi.of(world, steps);
    const ada = new Customer(steps, await world.start());
    await ada.look();
    await ada.begin();
    await ada.begin();
    await advance(29 * MINUTE);
    await ada.begin();
    await advance(2 * MINUTE);
    await ada.begin();
    await ada.begin({ templateKey: 'tk_2' });
    await ada.begin({ templateKey: 'tk_2', kind: 'hosted' });
    await ada.begin({ templateKey: 'tk_2', kind: 'hosted' });
    for (const action of ['accept', 'reject', 'review', 'constructor']) {
      api.action = action;
      await ada.look();
    }
    await ada.begin({ templateKey: 'tk_2', kind: 'hosted' });
    await ada.begin({ templateKey: 'tk_2', kind: 'hosted', again: true });
    api.action = undefined;
    await ada.reverify();
    await ada.erase();
    await ada.look();
    await ada.erase();
    await ada.begin();
  },

  'verifications that are gone or unknown': async (world, steps) => {
    const api = TransactionsApi.of(world, steps);
    const ada = new Customer(steps, await world.start());
    await ada.begin();
    api.statuses.push(410, 410);
    await ada.look();
    await ada.begin();
    api.statuses.push(500);
    await ada.begin();
    api.statuses.push(200, 500);
    await ada.reverify();
    api.statuses.push(500);
    await ada.erase();
    await advance(61 * MINUTE);
    world.api.faults.push({ status: 400, body: { readable: 'invalid_refresh_token' } });
    await ada.begin();
    await ada.begin({ ...SDK, again: true });
    await ada.erase();
  },

  'verifications while the store fails': async (world, steps) => {
    TransactionsApi.of(world, steps);
    const ada = new Customer(steps, await world.start());
    for (const fault of ['fail', 'lost', 'twice'] as const) {
      world.storeFaults.push({ call: 'commit', fault });
      await ada.reverify();
      // Until its end, a lease that was taken twice is that of somebody else.
      if (fault !== 'twice') world.storeFaults.push({ call: 'lease', fault });
      await ada.reverify();
      world.storeFaults.push({ call: 'load', fault });
      await ada.begin();
    }
    world.storeFault = { calls: ['commit'], fault: 'fail' };
    await ada.reverify();
    world.storeFault = undefined;
    await ada.begin();
    world.storeFaults.push({ call: 'forget', fault: 'fail' });
    await ada.erase();
    await ada.erase();
  },

  'verifications that two replicas begin at once': async (world, steps) => {
    const api = TransactionsApi.of(world, steps);
    const [one, other] = [await world.start(), await world.start()];
    api.latencyMs = SECOND;
    const first = firstValueFrom(one.module.get(BerbixVerificationService).begin('ada', SDK));
    await advance(SECOND / 2);
    await new Customer(steps, other).begin();
    await steps.of('the call of replica 0', first);
    const erasing = firstValueFrom(one.module.get(BerbixVerificationService).erase('ada'));
    await advance(SECOND / 2);
    await new Customer(steps, other).begin();
    await steps.of('the removal of replica 0', erasing);
  },
};
