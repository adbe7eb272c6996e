import type { ReferenceValues } from '../model.js';
import { code, httpsOf, sdkLanguage } from './language.js';

/** Samples for the Node.js SDK. [sdk: node] */
export const NODE = sdkLanguage('JavaScript', 'Node.js', {
  refreshTokens: (values) => code`
    ${client(values, 'Client, Tokens')}

    const refreshToken = '${values.refreshToken}';
    const tokens = await client.refreshTokens(Tokens.fromRefresh(refreshToken));

    // For the backend: keep the old refresh token unless the answer has a new one.
    const stored = tokens.refreshToken ?? refreshToken;
    // For the page or app, which resumes the verification with it.
    console.log(tokens.clientToken);`,

  createTransaction: (values) => code`
    ${client(values, 'Client')}

    // For an SDK in a page or app. Give it only the client token.
    const tokens = await client.createTransaction({
      customerUid: 'alice',
      templateKey: '${values.templateKeys.sdk}',
    });
    console.log(tokens.clientToken);
    // For the backend, which stores it.
    const { refreshToken } = tokens;

    // For a page hosted by Berbix.
    const hosted = await client.createHostedTransaction({
      customerUid: 'alice',
      templateKey: '${values.templateKeys.hosted}',
      hostedOptions: { redirectUrl: 'https://example.com/verified' },
    });
    console.log(hosted.hostedUrl);

    // For uploads by the backend.
    const apiOnly = await client.createApiOnlyTransaction({
      customerUid: 'alice',
      templateKey: '${values.templateKeys.apiOnly}',
      apiOnlyOpts: { idCountry: 'US', idType: 'DL' },
    });
    console.log(apiOnly.response.first_step);`,

  fetchTransaction: (values) => code`
    ${session(values)}

    const transaction = await client.fetchTransaction(tokens);
    // The action is empty while the verification is unfinished.
    console.log(transaction.action, transaction.flags);`,

  overrideTransaction: (values) => code`
    ${session(values)}

    await client.overrideTransaction(tokens, {
      responsePayload: 'us-dl',
      flags: ['id_expired'],
      overrideFields: { given_name: 'ALICE' },
    });`,

  updateTransaction: (values) => code`
    ${session(values)}

    const transaction = await client.updateTransaction(tokens, {
      action: 'reject',
      note: 'The photo is of somebody else.',
    });
    console.log(transaction.action);`,

  deleteTransaction: (values) => code`
    ${session(values)}

    await client.deleteTransaction(tokens);`,

  uploadImages: (values) => code`
    import { readFile } from 'node:fs/promises';
    ${client(values, 'Client, EncodedImage, ImageUploadOpts')}

    ${apiOnlyTokens(values)}

    const photo = await readFile('front.jpg', 'base64');
    const image = new EncodedImage(photo, 'document_front', 'image/jpeg');
    const { issues, nextStep } = await client.uploadImages(tokens, new ImageUploadOpts([image]));
    // After an issue, the next step is the same one again.
    console.log(issues, nextStep);`,

  uploadIdScan: (values) => code`
    import { readFile } from 'node:fs/promises';
    ${client(values, 'Client')}

    ${apiOnlyTokens(values)}

    const extractedData = await readFile('barcode.bin', 'base64');
    const { issues, nextStep } = await client.uploadIdScan(tokens, {
      idScans: [{ scanType: 'pdf417', extractedData }],
    });
    console.log(issues, nextStep);`,

  verificationFinished: () => webhook('BERBIX_WEBHOOK_FINISHED_SECRET'),
  verificationStatus: () => webhook('BERBIX_WEBHOOK_STATUS_SECRET'),
});

function client(values: ReferenceValues, names: string): string {
  const { url, note } = httpsOf(values, '//', 'NODE_EXTRA_CA_CERTS');
  return code`
    import { ${names} } from 'berbix';

    ${note}
    const client = new Client({
      apiSecret: process.env.BERBIX_API_SECRET,
      apiHost: '${url}',
    });`;
}

/** With the tokens of a transaction whose refresh token is stored. */
function session(values: ReferenceValues): string {
  return code`
    ${client(values, 'Client, Tokens')}

    const refreshToken = '${values.refreshToken}';
    const tokens = await client.refreshTokens(Tokens.fromRefresh(refreshToken));`;
}

function apiOnlyTokens({ templateKeys }: ReferenceValues): string {
  return code`
    const tokens = await client.createApiOnlyTransaction({
      customerUid: 'alice',
      templateKey: '${templateKeys.apiOnly}',
      apiOnlyOpts: { idCountry: 'US', idType: 'DL' },
    });`;
}

/** Checks the signature over the body as it arrived. @param variable with the secret of the webhook */
function webhook(variable: string): string {
  return code`
    import { createServer } from 'node:http';
    import { text } from 'node:stream/consumers';
    import { Client } from 'berbix';

    const client = new Client();
    const secret = process.env.${variable};

    const server = createServer(async (request, response) => {
      const body = await text(request);
      const signature = request.headers['x-berbix-signature'] ?? '';
      // The SDK fails if the signature does not have its three parts.
      const isComplete = signature.split(',').length === 3;
      if (!isComplete || !client.validateSignature(secret, body, signature)) {
        return response.writeHead(400).end();
      }
      const { customer_uid: customerUid, action } = JSON.parse(body);
      console.log(customerUid, action);
      response.end();
    });
    server.listen(3000);`;
}
