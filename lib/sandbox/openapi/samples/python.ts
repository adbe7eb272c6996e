import type { ReferenceValues } from '../model.js';
import { code, sdkLanguage } from './language.js';

/** [sdk: python] */
export const PYTHON = sdkLanguage('Python', 'Python', {
  refreshTokens: (values) => code`
    ${client(values)}

    refresh_token = '${values.refreshToken}'
    tokens = client.refresh_tokens(berbix.Tokens.from_refresh(refresh_token))

    # For the backend: keep the old refresh token unless the answer has a new one.
    stored = tokens.refresh_token or refresh_token
    # For the page or app, which resumes the verification with it.
    print(tokens.client_token)`,

  createTransaction: (values) => code`
    ${client(values)}

    # For the SDK in a page or app, which gets the client token, and no other.
    tokens = client.create_transaction(
        customer_uid='alice',
        template_key='${values.templateKeys.sdk}',
    )
    print(tokens.client_token)
    # For the backend, which stores it.
    refresh_token = tokens.refresh_token

    # For a page hosted by Berbix.
    hosted = client.create_hosted_transaction(
        customer_uid='alice',
        template_key='${values.templateKeys.hosted}',
        hosted_options={'redirect_url': 'https://example.com/verified'},
    )
    print(hosted.hosted_url)`,

  fetchTransaction: (values) => code`
    ${session(values)}

    transaction = client.fetch_transaction(tokens)
    # The action is empty while the verification is unfinished.
    print(transaction['action'], transaction['flags'])`,

  overrideTransaction: (values) => code`
    ${session(values)}

    client.override_transaction(
        tokens,
        response_payload='us-dl',
        flags=['id_expired'],
        override_fields={'given_name': 'ALICE'},
    )`,

  updateTransaction: (values) => code`
    ${session(values)}

    transaction = client.update_transaction(
        tokens,
        action='reject',
        note='The photo is of somebody else.',
    )
    print(transaction['action'])`,

  deleteTransaction: (values) => code`
    ${session(values)}

    client.delete_transaction(tokens)`,
});

function client({ url }: ReferenceValues): string {
  return code`
    import os

    import berbix

    # BERBIX_API_SECRET has the API secret.
    client = berbix.Client(
        api_secret=os.environ['BERBIX_API_SECRET'],
        api_host='${url}',
    )`;
}

/** With the tokens of a transaction whose refresh token is stored. */
function session(values: ReferenceValues): string {
  return code`
    ${client(values)}

    refresh_token = '${values.refreshToken}'
    tokens = client.refresh_tokens(berbix.Tokens.from_refresh(refresh_token))`;
}
