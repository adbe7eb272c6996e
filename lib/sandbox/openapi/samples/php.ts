import type { ReferenceValues } from '../model.js';
import { code, sdkLanguage } from './language.js';

/** Samples for the PHP SDK. [sdk: php] */
export const PHP = sdkLanguage('PHP', 'PHP', {
  refreshTokens: (values) => code`
    ${client(values)}

    $refreshToken = '${values.refreshToken}';
    $tokens = $client->refreshTokens(\\Berbix\\Tokens::fromRefresh($refreshToken));

    // For the backend: keep the old refresh token unless the answer has a new one.
    $stored = $tokens->refreshToken ?? $refreshToken;
    // For the page or app, which resumes the verification with it.
    echo $tokens->clientToken;`,

  createTransaction: (values) => code`
    ${client(values)}

    // For an SDK in a page or app. Give it only the client token.
    $tokens = $client->createTransaction([
        'customerUid' => 'alice',
        'templateKey' => '${values.templateKeys.sdk}',
    ]);
    echo $tokens->clientToken;
    // For the backend, which stores it.
    $refreshToken = $tokens->refreshToken;

    // For a page hosted by Berbix.
    $hosted = $client->createHostedTransaction([
        'customerUid' => 'alice',
        'templateKey' => '${values.templateKeys.hosted}',
        'redirectUrl' => 'https://example.com/verified',
    ]);
    echo $hosted['hostedUrl'];`,

  fetchTransaction: (values) => code`
    ${session(values)}

    $transaction = $client->fetchTransaction($tokens);
    // The action is empty while the verification is unfinished.
    echo $transaction['action'];`,

  overrideTransaction: (values) => code`
    ${session(values)}

    $client->overrideTransaction($tokens, [
        'responsePayload' => 'us-dl',
        'flags' => ['id_expired'],
        'overrideFields' => ['given_name' => 'ALICE'],
    ]);`,

  updateTransaction: (values) => code`
    ${session(values)}

    // The SDK does not return the changed transaction.
    $client->updateTransaction($tokens, [
        'action' => 'reject',
        'note' => 'The photo is of somebody else.',
    ]);`,

  deleteTransaction: (values) => code`
    ${session(values)}

    $client->deleteTransaction($tokens);`,

  verificationFinished: () => webhook('BERBIX_WEBHOOK_FINISHED_SECRET'),
  verificationStatus: () => webhook('BERBIX_WEBHOOK_STATUS_SECRET'),
});

function client({ url }: ReferenceValues): string {
  return code`
    <?php

    require __DIR__ . '/vendor/autoload.php';

    // Set BERBIX_API_SECRET to the API secret.
    $client = new \\Berbix\\Client(getenv('BERBIX_API_SECRET'), [
        'apiHost' => '${url}',
    ]);`;
}

/** With the tokens of a transaction whose refresh token is stored. */
function session(values: ReferenceValues): string {
  return code`
    ${client(values)}

    $refreshToken = '${values.refreshToken}';
    $tokens = $client->refreshTokens(\\Berbix\\Tokens::fromRefresh($refreshToken));`;
}

/** Checks the signature over the body as it arrived. @param variable with the secret of the webhook */
function webhook(variable: string): string {
  return code`
    <?php

    require __DIR__ . '/vendor/autoload.php';

    // The API secret is not used here, but the client needs one.
    $client = new \\Berbix\\Client(getenv('BERBIX_API_SECRET'));
    $secret = getenv('${variable}');

    $body = file_get_contents('php://input');
    $signature = $_SERVER['HTTP_X_BERBIX_SIGNATURE'] ?? '';
    // The SDK fails if the signature does not have its three parts.
    $isComplete = count(explode(',', $signature)) === 3;
    if (!$isComplete || !$client->validateSignature($secret, $body, $signature)) {
        http_response_code(400);
        exit;
    }
    $event = json_decode($body, true);
    error_log($event['customer_uid'] . ' ' . $event['action']);`;
}
