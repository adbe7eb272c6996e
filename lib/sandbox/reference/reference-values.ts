import type { TemplateKeys } from '../transactions/template-keys.js';

/** What differs from one sandbox to the next, for the examples. */
export interface ReferenceValues {
  templateKeys: TemplateKeys;
  /** One that can be exchanged. */
  refreshToken: string;
}

/** For a document that belongs to no sandbox. */
export const PLACEHOLDERS: ReferenceValues = {
  templateKeys: {
    sdk: 'tpk_of_your_sdk_template',
    hosted: 'tpk_of_your_hosted_template',
    apiOnly: 'tpk_of_your_api_only_template',
  },
  refreshToken: 'the_refresh_token_that_you_have_stored',
};
