import type { ReferenceValues } from '../model.js';
import { code, sdkLanguage } from './language.js';

/** Samples for the Python SDK. [sdk: python] */
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

    # For an SDK in a page or app. Give it only the client token.
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

  verificationFinished: () => webhook('BERBIX_WEBHOOK_FINISHED_SECRET'),
  verificationStatus: () => webhook('BERBIX_WEBHOOK_STATUS_SECRET'),
});

function client({ url }: ReferenceValues): string {
  return code`
    import os

    import berbix

    # Set BERBIX_API_SECRET to the API secret.
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

/** Checks the signature over the body as it arrived. @param variable with the secret of the webhook */
function webhook(variable: string): string {
  return code`
    import json
    import os
    from wsgiref.simple_server import make_server

    import berbix

    # The API secret is not used here, but the client needs one.
    client = berbix.Client(api_secret=os.environ['BERBIX_API_SECRET'])
    secret = os.environ['${variable}']


    def application(environ, start_response):
        length = int(environ.get('CONTENT_LENGTH') or 0)
        body = environ['wsgi.input'].read(length).decode()
        signature = environ.get('HTTP_X_BERBIX_SIGNATURE', '')
        # The SDK fails if the signature does not have its three parts.
        is_complete = signature.count(',') == 2
        if not is_complete or not client.validate_signature(secret, body, signature):
            start_response('400 Bad Request', [])
            return []
        event = json.loads(body)
        print(event['customer_uid'], event['action'])
        start_response('200 OK', [])
        return []


    make_server('', 3000, application).serve_forever()`;
}
