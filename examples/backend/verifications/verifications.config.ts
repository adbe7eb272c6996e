import { registerAs } from '@nestjs/config';
import type { BeginVerification } from 'nestjs-berbix';

/**
 * `BERBIX_TEMPLATE_KEY`: which template of the account a verification follows.
 * `BERBIX_TEMPLATE_KIND`: `sdk` if it is one for the Berbix front end in a page of yours, which is
 * the default; `hosted` if it is one for a page of Berbix's.
 */
export const verificationsConfig = registerAs('verifications', (): BeginVerification => {
  const { BERBIX_TEMPLATE_KEY: templateKey, BERBIX_TEMPLATE_KIND: kind = 'sdk' } = process.env;
  if (!templateKey) {
    throw new Error(
      'The environment variable BERBIX_TEMPLATE_KEY is missing. Set it to the key of a template from the Berbix dashboard.',
    );
  }
  if (kind === 'sdk' || kind === 'hosted') return { templateKey, kind };
  throw new Error('The environment variable BERBIX_TEMPLATE_KIND must be sdk or hosted.');
});
