import type { ReferenceValues } from '../model.js';
import { code, httpsOf, sdkLanguage } from './language.js';

/** Samples for the Ruby SDK. [sdk: ruby] */
export const RUBY = sdkLanguage('Ruby', 'Ruby', {
  refreshTokens: (values) => code`
    ${client(values)}

    refresh_token = '${values.refreshToken}'
    tokens = client.refresh_tokens(Berbix::Tokens.from_refresh(refresh_token))

    # For the backend: keep the old refresh token unless the answer has a new one.
    stored = tokens.refresh_token || refresh_token
    # For the page or app, which resumes the verification with it.
    puts tokens.client_token`,

  createTransaction: (values) => code`
    ${client(values)}

    # For an SDK in a page or app. Give it only the client token.
    tokens = client.create_transaction(
      customer_uid: 'alice',
      template_key: '${values.templateKeys.sdk}'
    )
    puts tokens.client_token
    # For the backend, which stores it.
    refresh_token = tokens.refresh_token

    # For a page hosted by Berbix.
    hosted = client.create_hosted_transaction(
      customer_uid: 'alice',
      template_key: '${values.templateKeys.hosted}',
      hosted_options: { redirect_url: 'https://example.com/verified' }
    )
    puts hosted.hosted_url`,

  fetchTransaction: (values) => code`
    ${session(values)}

    transaction = client.fetch_transaction(tokens)
    # The action is empty while the verification is unfinished.
    p transaction['action'], transaction['flags']`,

  overrideTransaction: (values) => code`
    ${session(values)}

    client.override_transaction(
      tokens,
      response_payload: 'us-dl',
      flags: ['id_expired'],
      override_fields: { given_name: 'ALICE' }
    )`,

  updateTransaction: (values) => code`
    ${session(values)}

    transaction = client.update_transaction(
      tokens,
      action: 'reject',
      note: 'The photo is of somebody else.'
    )
    puts transaction['action']`,

  deleteTransaction: (values) => code`
    ${session(values)}

    client.delete_transaction(tokens)`,

  verificationFinished: () => webhook('BERBIX_WEBHOOK_FINISHED_SECRET'),
  verificationStatus: () => webhook('BERBIX_WEBHOOK_STATUS_SECRET'),
});

function client(values: ReferenceValues): string {
  const { url, note } = httpsOf(values, '#', 'SSL_CERT_FILE');
  return code`
    require 'berbix'

    ${note}
    client = Berbix::Client.new(
      api_secret: ENV.fetch('BERBIX_API_SECRET'),
      api_host: '${url}'
    )`;
}

/** With the tokens of a transaction whose refresh token is stored. */
function session(values: ReferenceValues): string {
  return code`
    ${client(values)}

    refresh_token = '${values.refreshToken}'
    tokens = client.refresh_tokens(Berbix::Tokens.from_refresh(refresh_token))`;
}

/** Checks the signature over the body as it arrived. @param variable with the secret of the webhook */
function webhook(variable: string): string {
  return code`
    # config.ru
    require 'berbix'
    require 'json'

    # The API secret is not used here, but the client needs one.
    client = Berbix::Client.new(api_secret: ENV.fetch('BERBIX_API_SECRET'))
    secret = ENV.fetch('${variable}')

    run lambda { |env|
      body = env['rack.input'].read
      signature = env.fetch('HTTP_X_BERBIX_SIGNATURE', '')
      # The SDK fails if the signature does not have its three parts.
      is_complete = signature.count(',') == 2
      next [400, {}, []] unless is_complete && client.validate_signature(secret, body, signature)

      event = JSON.parse(body)
      puts event['customer_uid'], event['action']
      [200, {}, []]
    }`;
}
