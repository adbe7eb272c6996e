import { registerAs } from '@nestjs/config';
import type { BerbixVerificationOptions } from 'nestjs-berbix';

/**
 * `BERBIX_TEMPLATE_KEY`: the template of the account for verifications. `BERBIX_TEMPLATE_KIND`:
 * `sdk`, the default, if the template is for the Berbix front end in your own page; `hosted` if it
 * is for a page at Berbix.
 */
export const verificationsConfig = registerAs('verifications', (): BerbixVerificationOptions => {
  const { BERBIX_TEMPLATE_KEY: templateKey, BERBIX_TEMPLATE_KIND: kind = 'sdk' } = process.env;
  if (!templateKey) {
    throw new Error(
      'The environment variable BERBIX_TEMPLATE_KEY is missing. Set it to the key of a template from the Berbix dashboard.',
    );
  }
  if (kind === 'sdk' || kind === 'hosted') return { templateKey, kind };
  throw new Error('The environment variable BERBIX_TEMPLATE_KIND must be sdk or hosted.');
});
