import { registerAs } from '@nestjs/config';

/** `BERBIX_TEMPLATE_KEY`: which template of the account a verification follows. */
export const verificationsConfig = registerAs('verifications', () => {
  const templateKey = process.env['BERBIX_TEMPLATE_KEY'];
  if (templateKey) return { templateKey };
  throw new Error(
    'The environment variable BERBIX_TEMPLATE_KEY is missing. Set it to the key of a template from the Berbix dashboard.',
  );
});
