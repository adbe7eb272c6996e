import { describe, expect, it } from '@jest/globals';
import { BerbixConfigurationError } from 'nestjs-berbix';
import { WebhookSettings, type BerbixWebhookOptions } from '../../lib/webhooks/index.js';
import { errorOf } from '../support/errors.js';
import { everyViewOf } from '../support/sinks.js';

describe('the options of webhooks', () => {
  it.each<[BerbixWebhookOptions | undefined, { toleranceMs: number; leaseMs: number }]>([
    [undefined, { toleranceMs: 300_000, leaseMs: 10_000 }],
    [{}, { toleranceMs: 300_000, leaseMs: 10_000 }],
    [
      { finished: undefined, toleranceMs: undefined },
      { toleranceMs: 300_000, leaseMs: 10_000 },
    ],
    [
      { toleranceMs: 1, leaseMs: 86_400_000 },
      { toleranceMs: 1, leaseMs: 86_400_000 },
    ],
  ])('%j', (options, { toleranceMs, leaseMs }) => {
    const settings = new WebhookSettings(options);
    expect(settings).toMatchObject({ toleranceMs, leaseMs });
    expect([settings.has('finished'), settings.has('status')]).toEqual([false, false]);
  });

  it.each([
    ['no object', 'whs_test_x', 'webhooks must be an object'],
    ['null', null, 'webhooks must be an object'],
    ['a misspelt option', { finish: 'whs_test_x' }, 'webhooks has no option named "finish"'],
    ['an empty secret', { finished: '' }, 'webhooks.finished has an empty secret'],
    ['a null', { status: null }, 'webhooks.status has an empty secret'],
    ['an empty list', { finished: [] }, 'webhooks.finished is an empty list'],
    ['a list with a hole', { finished: ['whs_test_x', ''] }, 'has an empty secret'],
    ['a number', { status: 7 }, 'webhooks.status has a secret of type number, not a string'],
    [
      'an object',
      { status: { secret: 'whs_test_x' } },
      'has a secret of type object, not a string',
    ],
    ['a space', { finished: ' whs_test_x' }, 'has a secret with a space or line break around it'],
    [
      'a line break',
      { finished: ['whs_test_x\n'] },
      'has a secret with a space or line break around it',
    ],
    [
      'a control character',
      { status: 'whs_test_x\0y' },
      'has a secret with a space or line break around it',
    ],
    ['a tolerance of 0', { toleranceMs: 0 }, 'webhooks.toleranceMs must be a whole number from 1'],
    ['a fraction', { toleranceMs: 1.5 }, 'webhooks.toleranceMs must be'],
    [
      'a tolerance that is not a number',
      { toleranceMs: Number.NaN },
      'webhooks.toleranceMs must be',
    ],
    ['an infinite tolerance', { toleranceMs: Infinity }, 'webhooks.toleranceMs must be'],
    ['seconds as text', { toleranceMs: '300' }, 'webhooks.toleranceMs must be'],
    ['a word', { confirmUnhandled: 'yes' }, 'webhooks.confirmUnhandled must be true or false'],
    ['a lease of days', { leaseMs: 86_400_001 }, 'webhooks.leaseMs must be'],
  ])('refuse %s', async (_, options, mention) => {
    const error = await errorOf(() => new WebhookSettings(options as BerbixWebhookOptions));
    expect(error).toBeInstanceOf(BerbixConfigurationError);
    expect(error.message).toContain(mention);
    expect(String(error)).not.toContain('whs_test_x');
  });

  it('may have a secret with a space inside', async () => {
    const settings = new WebhookSettings({ finished: 'whs test x' });
    expect(await settings.secrets('finished')).toEqual(['whs test x']);
  });

  it('show no secret', async () => {
    const settings = new WebhookSettings({ finished: 'whs_test_x', status: ['whs_test_y'] });
    const views = await everyViewOf(settings);
    expect(views).not.toMatch(/whs_test_[xy]/);
    expect(await settings.secrets('finished')).toEqual(['whs_test_x']);
  });

  it('do not change with the given list', async () => {
    const list = ['one'];
    const settings = new WebhookSettings({ finished: list });
    list.push('two');
    expect(await settings.secrets('finished')).toEqual(['one']);
  });
});
