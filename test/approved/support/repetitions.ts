import { Injectable } from '@nestjs/common';
import { BerbixWebhookService, OnBerbixWebhook, type BerbixWebhookDto } from 'nestjs-berbix';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { advance } from '../../renewal/support/virtual-time.js';
import type { Replica, World } from '../../renewal/support/world.js';
import type { Steps } from './steps.js';

const [SECOND, DAY] = [1_000, 86_400_000];
const SECRETS = { finished: 'whs_test_finished', status: 'whs_test_status' };

type Scenario = (world: World, steps: Steps) => Promise<void>;

@Injectable()
class Handler {
  static work: () => Promise<void> = () => Promise.resolve();

  @OnBerbixWebhook('finished')
  @OnBerbixWebhook('status')
  handle(): Promise<void> {
    return Handler.work();
  }
}

/** What is repeated: requests, and webhooks; the steps of each are in a file of its name. */
export const REPETITIONS: Record<string, Scenario> = {
  'requests that are repeated': async (world, steps) => {
    // Each with a replica of its own, whose circuit is closed.
    const refresh = async (id: string): Promise<void> => {
      const replica = await world.start({ retry: 3, timeoutMs: 2 * SECOND });
      await refreshed(world, steps, replica, id);
    };
    world.api.faults.push({ status: 503 }, { status: 500 }, 'reset-after');
    await refresh('1');
    world.api.faults.push(
      { status: 429, headers: { 'retry-after': '2' } },
      'refused',
      'hang-after',
    );
    await refresh('2');
    world.api.faults.push('reset-before', 'reset-before', 'reset-before', 'reset-before');
    await refresh('3');
    world.api.faults.push({ status: 503, headers: { 'retry-after': '20' } });
    await refresh('4');
    world.api.faults.push({ status: 400 });
    await refresh('5');
    world.api.fault = 'hang-before';
    await refresh('6');
  },

  'a circuit that opens and closes': async (world, steps) => {
    const replica = await world.start();
    const refresh = (id: string): Promise<void> => refreshed(world, steps, replica, id);
    for (let id = 1; id <= 5; id++) await refresh(`${id}`);
    world.api.fault = { status: 500 };
    for (let id = 6; id <= 12; id++) await refresh(`${id}`);
    for (const ms of [100, 1_000, 5_000, 10_000, 30_000]) {
      await advance(ms);
      await refresh('13');
    }
    world.api.fault = undefined;
    await advance(60 * SECOND);
    await refresh('14');
    await refresh('15');
  },

  'webhooks that are repeated': async (world, steps) => {
    const [replica, other] = [
      await world.start({ webhooks: SECRETS }, [Handler]),
      await world.start({ webhooks: { ...SECRETS, leaseMs: 20 * SECOND } }, [Handler]),
    ];
    for (const { module } of [replica, other]) await module.init();
    Handler.work = () => Promise.resolve();
    await deliver(steps, replica);
    await deliver(steps, other);
    await deliver(steps, other, { action: 'review' });
    await deliver(steps, replica, { kind: 'finished' });
    // With a stack that is the same on each machine.
    const failure = Object.assign(new TypeError('the mailer is down'), { stack: '{stack}' });
    Handler.work = () => Promise.reject(failure);
    await deliver(steps, replica, { transactionId: '8' });
    Handler.work = () => new Promise((resolve) => setTimeout(resolve, 5 * SECOND));
    const slow = webhooksOf(replica).handle(await received(replica, { transactionId: '8' }));
    await advance(SECOND);
    await deliver(steps, other, { transactionId: '8' });
    await steps.of('the slow one', slow);
    Handler.work = () => new Promise((resolve) => setTimeout(resolve, 11 * SECOND));
    const slower = webhooksOf(replica).handle(await received(replica, { transactionId: '9' }));
    await advance(10 * SECOND);
    await deliver(steps, other, { transactionId: '9' });
    await steps.of('the slower one', slower);
    Handler.work = () => Promise.resolve();
    for (const call of ['load', 'lease', 'commit', 'release'] as const) {
      world.storeFaults.push({ call, fault: 'fail' });
      await deliver(steps, replica, { transactionId: '10' });
    }
    // Old ones are removed.
    for (const days of [15, 16]) await advance(days * DAY);
    await deliver(steps, replica, { transactionId: '11' });
    await deliver(steps, other, { transactionId: '12' });
  },
};

/** A call of which the store knows nothing. */
function refreshed(world: World, steps: Steps, replica: Replica, id: string): Promise<void> {
  const call = firstValueFrom(replica.tokens.refresh(world.api.create(id)));
  return steps.of(`refresh() of transaction ${id}`, call);
}

type Parts = { kind?: 'finished' | 'status'; transactionId?: string; action?: string };

function webhooksOf({ module }: Replica): BerbixWebhookService {
  return module.get(BerbixWebhookService);
}

function received(replica: Replica, parts: Parts): Promise<BerbixWebhookDto> {
  const { kind = 'status', transactionId = '7', action = 'accept' } = parts;
  const body = sampleWebhookBody({ transactionId, action });
  const header = signBerbixWebhook({ secret: SECRETS[kind], body });
  return webhooksOf(replica).verify({ kind, header, rawBody: body });
}

async function deliver(steps: Steps, replica: Replica, parts: Parts = {}): Promise<void> {
  const name = `${replica.name}: a webhook ${JSON.stringify(parts)}`;
  await steps.of(
    name,
    received(replica, parts).then((webhook) => webhooksOf(replica).handle(webhook)),
  );
}
