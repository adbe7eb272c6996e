// What the application of a test does, by name.
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleWebhookBody, signBerbixWebhook } from 'nestjs-berbix/testing';

/** A customer of whom only the refresh token is known. */
async function know({ tokens, first, refreshToken }) {
  await first(tokens.remember({ customerUid: 'ada', tokens: refreshToken }));
}

export const STEPS = {
  /** Many callers for tokens that nobody has yet, then one more. */
  async cold({ tokens, first, inSpan, spans, callers, ...rest }) {
    await know({ tokens, first, ...rest });
    spans.reset();
    await Promise.all(
      Array.from({ length: callers }, () =>
        inSpan('caller', () => first(tokens.fresh({ customerUid: 'ada' }))),
      ),
    );
    await inSpan('from memory', () => first(tokens.fresh({ customerUid: 'ada' })));
  },

  /** Stale tokens, which are renewed in the background. */
  async proactive({ tokens, first, inSpan, spans, clock, ...rest }) {
    await know({ tokens, first, ...rest });
    await first(tokens.fresh({ customerUid: 'ada' }));
    clock.advance(0.85 * 3_600_000);
    spans.reset();
    await inSpan('caller', () => first(tokens.fresh({ customerUid: 'ada' })));
    while (!spans.getFinishedSpans().some(({ name }) => name === 'berbix.tokens.renewal')) {
      await sleep(5);
    }
  },

  /** Stored tokens, which are exchanged again. */
  async known({ tokens, first, inSpan, spans, ...rest }) {
    await know({ tokens, first, ...rest });
    const found = await first(tokens.fresh({ customerUid: 'ada' }));
    spans.reset();
    await inSpan('caller', () => first(tokens.refresh(found)));
  },

  /** A refresh token from a table of the application, by two callers at once, and two failures. */
  async given({ tokens, first, inSpan, refreshToken }) {
    const refresh = (token) => inSpan('caller', () => first(tokens.refresh(token)));
    await Promise.all([refresh(refreshToken), refresh(refreshToken)]);
    await refresh('rt_unknown').catch(() => {});
    await refresh('').catch(() => {});
  },

  /** A caller who leaves in the middle. */
  async left({ tokens, inSpan, refreshToken }) {
    await inSpan('caller', async () => {
      const subscription = tokens.refresh(refreshToken).subscribe();
      await sleep(20);
      subscription.unsubscribe();
    });
  },

  /** Callers who do not wait until the end, and one who does. */
  async impatient({ tokens, first, inSpan, timeoutMs, ...rest }) {
    await know({ tokens, first, ...rest });
    const ask = (options) =>
      inSpan('caller', () => first(tokens.fresh({ customerUid: 'ada' }, options))).catch(() => {});
    const aborted = new AbortController();
    const asked = [ask({ timeoutMs }), ask({ signal: aborted.signal }), ask()];
    await asked[0];
    aborted.abort();
    await Promise.all(asked);
  },

  /** An operation on a transaction. */
  async fetch({ tokens, transactions, first, inSpan, spans, ...rest }) {
    await know({ tokens, first, ...rest });
    spans.reset();
    await inSpan('caller', () => first(transactions.fetch({ customerUid: 'ada' })));
  },

  /** Whatever is counted and does not happen on a good day. */
  async troubles({ tokens, tokensOfAnother, webhooks, first, refreshToken, secret }) {
    await know({ tokens, first, refreshToken });
    // The other replica waits for the lease; the first attempt of the exchange fails.
    await Promise.all(
      [tokens, await tokensOfAnother()].map((each) => first(each.fresh({ customerUid: 'ada' }))),
    );
    await first(tokens.remember({ customerUid: 'eve', tokens: 'rt_unknown' }));
    await first(tokens.fresh({ customerUid: 'eve' })).catch(() => {});
    const deliver = async (action, header) => {
      const rawBody = sampleWebhookBody({ action });
      const signed = header ?? signBerbixWebhook({ secret, body: rawBody });
      const webhook = await webhooks.verify({ kind: 'status', header: signed, rawBody });
      await webhooks.handle(webhook);
    };
    await deliver('accept');
    await deliver('accept');
    await deliver('reject').catch(() => {});
    await deliver('accept', 'v0,1,forged').catch(() => {});
  },
};
