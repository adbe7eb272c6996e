import { expect, it } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { BerbixTransactionService, BerbixVerificationService } from 'nestjs-berbix';
import { firstValueFrom, type Observable } from 'rxjs';
import { VERSION } from '../../lib/version.js';
import { advance, outcomeOf, settle } from '../renewal/support/virtual-time.js';
import { eachWorld } from '../renewal/support/world.js';
import { traceTo } from '../telemetry/support/tracer.js';
import { expectApproved } from './support/approved.js';
import { Steps } from './support/steps.js';
import { TransactionsApi } from './support/transactions-api.js';

const MINUTE = 60_000;
const ADA = { customerUid: 'ada' };
const SDK = { templateKey: 'tk_1' };

const the = eachWorld();
let ended: ReadableSpan[] = [];

traceTo({
  onStart() {},
  onEnd: (span) => void ended.push(span),
  forceFlush: async () => {},
  shutdown: async () => {},
});

/** The spans in the order in which they ended, each with its number, parent and links. */
function describeSpans(spans: ReadableSpan[]): string[] {
  const numberOf = (id: string): number =>
    1 + spans.findIndex((span) => span.spanContext().spanId === id);
  return spans.map((span, index) => {
    const { name, attributes, parentSpanContext, links, status } = span;
    const parent = parentSpanContext && ` in ${numberOf(parentSpanContext.spanId)}`;
    const others = links.map((link) => ` linked to ${numberOf(link.context.spanId)}`);
    const failed = status.code === SpanStatusCode.ERROR ? ' failed' : '';
    return `  ${index + 1} ${name}${parent ?? ''}${others.join('')}${failed} ${JSON.stringify(attributes)}`;
  });
}

it('the spans of calls are those approved', async () => {
  const { world } = the;
  world.watch.isTroubled = true;
  const api = TransactionsApi.of(world, new Steps(world));
  world.api.habit = 'strict';
  const replica = await world.start({ freshness: { rotation: 'strict' } });
  const [transactions, verifications] = [
    replica.module.get(BerbixTransactionService),
    replica.module.get(BerbixVerificationService),
  ];
  const texts: string[] = [];
  const call = async (name: string, source: Observable<unknown>): Promise<void> => {
    ended = [];
    await outcomeOf(firstValueFrom(source));
    await settle();
    for (const { instrumentationScope: scope } of ended) {
      expect(scope).toEqual({ name: 'nestjs-berbix', version: VERSION });
    }
    texts.push([name, ...describeSpans(ended)].join('\n'));
  };
  await call('begin', verifications.begin('ada', SDK));
  await call('begin again', verifications.begin('ada', SDK));
  await call('reverify', verifications.reverify('ada', SDK));
  await call('result', verifications.result('ada'));
  await call('history', verifications.history('ada'));
  await call('fresh, from the store', replica.tokens.fresh(ADA));
  await call('fresh, from memory', replica.tokens.fresh(ADA));
  await advance(61 * MINUTE);
  await call('fresh, with an exchange', replica.tokens.fresh(ADA));
  await call('refresh', replica.tokens.refresh(world.api.create('9')));
  await call('remember', replica.tokens.remember({ ...ADA, tokens: world.api.create('8') }));
  const tokens = world.api.create('7');
  await call('create', transactions.create({ ...ADA, ...SDK }));
  await call('createHosted', transactions.createHosted({ ...ADA, ...SDK }));
  await call('createApiOnly', transactions.createApiOnly({ ...ADA, ...SDK }));
  await call('fetch', transactions.fetch(tokens));
  await call('update', transactions.update(tokens, { action: 'accept' }));
  await call('override', transactions.override(tokens, { responsePayload: 'us-dl' }));
  await call('uploadIdScan', transactions.uploadIdScan(tokens, 'AAAA'));
  const images = [{ imageSubject: 'selfie_front', data: 'AAAA' }] as const;
  await call('uploadImages', transactions.uploadImages(tokens, images));
  api.statuses.push(500);
  await call('delete that fails', transactions.delete(tokens));
  await advance(61 * MINUTE);
  world.api.faults.push({ status: 500 });
  await call('fresh that fails', replica.tokens.fresh(ADA));
  await call('erase', verifications.erase('ada'));
  await call('forget', replica.tokens.forget(ADA));
  expectApproved('spans.txt', `${texts.join('\n\n')}\n`);
});
