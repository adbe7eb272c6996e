import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { ApiJsonInterceptor } from './api-json.interceptor.js';
import { ApiSecretGuard } from './auth/api-secret.guard.js';
import { AccessTokenGuard, ClientTokenGuard } from './auth/transaction-token.guard.js';
import { ControlController } from './control/control.controller.js';
import { WebhooksController } from './control/webhooks.controller.js';
import { ApiExceptionFilter } from './errors/api-exception.filter.js';
import { SandboxFaults } from './faults/sandbox-faults.js';
import { HomeController } from './hosted/home.controller.js';
import { HostedController } from './hosted/hosted.controller.js';
import { HostedLinks } from './hosted/hosted-links.js';
import { PageResponder } from './hosted/page-responder.js';
import { VerifyController } from './hosted/verify.controller.js';
import { ImageLinks } from './images/image-links.js';
import { ImagesController } from './images/images.controller.js';
import { ImagesPresenter } from './images/images.presenter.js';
import { RequestLog } from './requests/request-log.js';
import { SandboxAddress } from './sandbox-address.js';
import { SandboxClock } from './sandbox-clock.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from './sandbox.settings.js';
import { RefreshTokenExchange } from './tokens/refresh-token.exchange.js';
import { TokenPresenter } from './tokens/token.presenter.js';
import { TokenReader } from './tokens/token-reader.js';
import { TokenSigner } from './tokens/token-signer.js';
import { TokenWriter } from './tokens/token-writer.js';
import { TokensController } from './tokens/tokens.controller.js';
import { ActionMap } from './transactions/action-map.js';
import { CompletionLimit } from './transactions/completion-limit.js';
import { MetadataPresenter } from './transactions/metadata.presenter.js';
import { Templates } from './transactions/template-keys.js';
import { TransactionEvents } from './transactions/transaction.events.js';
import { TransactionFactory } from './transactions/transaction.factory.js';
import { TransactionIds } from './transactions/transaction-ids.js';
import { TransactionResults } from './transactions/transaction-results.js';
import { TransactionStore } from './transactions/transaction.store.js';
import { Transactions } from './transactions/transactions.js';
import { TransactionsController } from './transactions/transactions.controller.js';
import { UploadFlow } from './uploads/upload-flow.js';
import { UploadsController } from './uploads/uploads.controller.js';
import { SandboxWebhooks } from './webhooks/sandbox-webhooks.js';
import { WebhookTrigger } from './webhooks/webhook-trigger.js';

/** What lives outside the Nest application and is shared with it. */
export interface SandboxParts {
  settings: SandboxSettings;
  clock: SandboxClock;
  requests: RequestLog;
  faults: SandboxFaults;
  address: SandboxAddress;
  webhooks: SandboxWebhooks;
  signer: TokenSigner;
  transactions: TransactionStore;
}

/** The local Berbix. */
@Module({
  controllers: [
    TokensController,
    TransactionsController,
    UploadsController,
    HomeController,
    HostedController,
    VerifyController,
    ImagesController,
    ControlController,
    WebhooksController,
  ],
  providers: [
    { provide: APP_FILTER, useClass: ApiExceptionFilter },
    { provide: APP_INTERCEPTOR, useClass: ApiJsonInterceptor },
    AccessTokenGuard,
    ActionMap,
    ApiSecretGuard,
    ClientTokenGuard,
    CompletionLimit,
    HostedLinks,
    ImageLinks,
    ImagesPresenter,
    MetadataPresenter,
    PageResponder,
    RefreshTokenExchange,
    Templates,
    TokenPresenter,
    TokenReader,
    TokenWriter,
    TransactionEvents,
    TransactionFactory,
    TransactionIds,
    TransactionResults,
    Transactions,
    UploadFlow,
    WebhookTrigger,
  ],
})
export class SandboxModule {
  /** Each call makes a sandbox of its own. */
  static register({
    settings,
    clock,
    requests,
    faults,
    address,
    webhooks,
    signer,
    transactions,
  }: SandboxParts): DynamicModule {
    return {
      module: SandboxModule,
      providers: [
        { provide: SANDBOX_SETTINGS, useValue: settings },
        { provide: SandboxClock, useValue: clock },
        { provide: RequestLog, useValue: requests },
        { provide: SandboxFaults, useValue: faults },
        { provide: SandboxAddress, useValue: address },
        { provide: SandboxWebhooks, useValue: webhooks },
        { provide: TokenSigner, useValue: signer },
        { provide: TransactionStore, useValue: transactions },
      ],
    };
  }
}
