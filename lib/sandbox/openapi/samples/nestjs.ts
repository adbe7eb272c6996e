import { isLoopback, type WebhookKind } from '../../../wire/index.js';
import type { ReferenceValues } from '../model.js';
import { code, sdkLanguage } from './language.js';

/** This package. */
export const NESTJS = sdkLanguage('TypeScript', 'NestJS', {
  refreshTokens: (values) =>
    application(
      values,
      'BerbixTokenService, ClientTokenDto',
      code`
        constructor(private readonly tokens: BerbixTokenService) {}

        /** The client token, with which the page or app resumes the verification. */
        async run(): Promise<ClientTokenDto> {
          const tokens = await firstValueFrom(
            this.tokens.refresh('${values.refreshToken}'),
          );
          // Store tokens.refreshToken: it is the old one, or a new one if the answer has one.
          return ClientTokenDto.of(tokens);
        }`,
    ),

  createTransaction: (values) =>
    application(
      values,
      'BerbixTransactionService, ClientTokenDto',
      code`
        constructor(private readonly transactions: BerbixTransactionService) {}

        /** For an SDK in a page or app. */
        async run(): Promise<ClientTokenDto> {
          const tokens = await firstValueFrom(
            this.transactions.create({
              customerUid: 'alice',
              templateKey: '${values.templateKeys.sdk}',
            }),
          );
          // Store tokens.refreshToken. The page or app only gets the client token.
          return ClientTokenDto.of(tokens);
        }

        /** For a page hosted by Berbix. */
        async hosted(): Promise<string> {
          const { hostedUrl } = await firstValueFrom(
            this.transactions.createHosted({
              customerUid: 'alice',
              templateKey: '${values.templateKeys.hosted}',
              redirectUrl: 'https://example.com/verified',
            }),
          );
          return hostedUrl;
        }

        /** For uploads by the backend. */
        async apiOnly(): Promise<string> {
          const { firstStep } = await firstValueFrom(
            this.transactions.createApiOnly({
              customerUid: 'alice',
              templateKey: '${values.templateKeys.apiOnly}',
              idCountry: 'US',
              idType: 'DL',
            }),
          );
          return firstStep;
        }`,
    ),

  fetchTransaction: (values) =>
    transactionMethod(
      values,
      code`
        /** Undefined while the verification is unfinished. */
        async run(): Promise<string | undefined> {
          const transaction = await firstValueFrom(
            this.transactions.fetch('${values.refreshToken}'),
          );
          // Store transaction.tokens.refreshToken: it may be a new one.
          return transaction.action;
        }`,
    ),

  overrideTransaction: (values) =>
    transactionMethod(
      values,
      code`
        async run(): Promise<void> {
          await firstValueFrom(
            this.transactions.override('${values.refreshToken}', {
              responsePayload: 'us-dl',
              flags: ['id_expired'],
              overrideFields: { given_name: 'ALICE' },
            }),
          );
        }`,
    ),

  updateTransaction: (values) =>
    transactionMethod(
      values,
      code`
        async run(): Promise<string | undefined> {
          const transaction = await firstValueFrom(
            this.transactions.update('${values.refreshToken}', {
              action: 'reject',
              note: 'The photo is of somebody else.',
            }),
          );
          return transaction.action;
        }`,
    ),

  deleteTransaction: (values) =>
    transactionMethod(
      values,
      code`
        async run(): Promise<void> {
          await firstValueFrom(
            this.transactions.delete('${values.refreshToken}'),
          );
        }`,
    ),

  uploadImages: (values) =>
    transactionMethod(
      values,
      code`
        async run(): Promise<string | undefined> {
          ${apiOnlyTokens(values)}
          const data = await readFile('front.jpg');
          const image = { imageSubject: 'document_front', format: 'image/jpeg', data } as const;
          const { nextStep } = await firstValueFrom(
            this.transactions.uploadImages(tokens, [image]),
          );
          // After an issue, it is the same one again.
          return nextStep;
        }`,
      `import { readFile } from 'node:fs/promises';`,
    ),

  uploadIdScan: (values) =>
    transactionMethod(
      values,
      code`
        async run(): Promise<string | undefined> {
          ${apiOnlyTokens(values)}
          const { nextStep } = await firstValueFrom(
            this.transactions.uploadIdScan(tokens, await readFile('barcode.bin')),
          );
          return nextStep;
        }`,
      `import { readFile } from 'node:fs/promises';`,
    ),

  verificationFinished: (values) => webhook(values, 'finished', 'BERBIX_WEBHOOK_FINISHED_SECRET'),
  verificationStatus: (values) => webhook(values, 'status', 'BERBIX_WEBHOOK_STATUS_SECRET'),
});

function transactionMethod(values: ReferenceValues, method: string, ...imports: string[]): string {
  const body = code`
    constructor(private readonly transactions: BerbixTransactionService) {}

    ${method}`;
  return application(values, 'BerbixTransactionService', body, ...imports);
}

/** A module with one service, which does what the sample is about. */
function application(
  { url }: ReferenceValues,
  names: string,
  body: string,
  ...imports: string[]
): string {
  return code`
    ${[...imports, `import { Injectable, Module } from '@nestjs/common';`].join('\n')}
    import { BerbixModule, ${names} } from 'nestjs-berbix';
    import { firstValueFrom } from 'rxjs';

    @Injectable()
    export class Sample {
      ${body}
    }

    // Set BERBIX_API_SECRET to the API secret.
    @Module({
      imports: [
        BerbixModule.forRoot({
          ${optionsOf(url).join('\n')}
        }),
      ],
      providers: [Sample],
    })
    export class SampleModule {}`;
}

/** The lines of the options that each sample needs. */
function optionsOf(url: string): string[] {
  const { protocol, hostname } = new URL(url);
  const isInsecure = protocol === 'http:' && !isLoopback(hostname);
  return [
    'apiSecret: process.env.BERBIX_API_SECRET!,',
    `apiHost: '${url}',`,
    ...(isInsecure ? ['allowInsecure: true,'] : []),
  ];
}

function apiOnlyTokens({ templateKeys }: ReferenceValues): string {
  return code`
    const { tokens } = await firstValueFrom(
      this.transactions.createApiOnly({
        customerUid: 'alice',
        templateKey: '${templateKeys.apiOnly}',
        idCountry: 'US',
        idType: 'DL',
      }),
    );`;
}

/** @param variable with the secret of the webhook */
function webhook({ url }: ReferenceValues, kind: WebhookKind, variable: string): string {
  return code`
    import { Injectable, Logger, Module } from '@nestjs/common';
    import {
      BerbixModule,
      OnBerbixWebhook,
      createBerbixWebhookController,
      type BerbixWebhookDto,
    } from 'nestjs-berbix';

    @Injectable()
    export class Sample {
      readonly #logger = new Logger('Webhooks');

      /** The signature has been checked. */
      @OnBerbixWebhook('${kind}')
      handle({ customerUid, action }: BerbixWebhookDto): void {
        this.#logger.log(\`\${customerUid} \${action}\`);
      }
    }

    // In main.ts: NestFactory.create(SampleModule, { rawBody: true })
    @Module({
      imports: [
        BerbixModule.forRoot({
          ${optionsOf(url).join('\n')}
          webhooks: { ${kind}: process.env.${variable}! },
        }),
      ],
      // POST /webhooks/berbix/${kind}
      controllers: [createBerbixWebhookController()],
      providers: [Sample],
    })
    export class SampleModule {}`;
}
