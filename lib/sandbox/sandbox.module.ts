import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { ApiSecretGuard } from './auth/authorization.js';
import { HostedLinks, ImageLinks, SandboxAddress } from './auth/signed-links.js';
import { TokenReader, TokenSigner, TokenWriter } from './auth/tokens.js';
import { SandboxClock } from './clock.js';
import { ClockController } from './control/clock.controller.js';
import { ControlController } from './control/control.controller.js';
import { EventFeed } from './control/event-feed.js';
import { EventsController } from './control/events.controller.js';
import { FaultsController } from './control/faults.controller.js';
import { RequestsController } from './control/requests.controller.js';
import { SandboxEvents } from './control/sandbox-events.js';
import { SandboxStateService } from './control/sandbox-state.service.js';
import { SandboxTransactions } from './control/sandbox-transactions.js';
import { StateController } from './control/state.controller.js';
import { ControlTransactionsController } from './control/transactions.controller.js';
import { WebhooksController } from './control/webhooks.controller.js';
import { SandboxFaults } from './faults/sandbox-faults.js';
import { ApiJsonInterceptor } from './http/api-json.js';
import { ApiExceptionFilter } from './http/exception-filter.js';
import { ResponseWriter } from './http/send-reply.js';
import { RequestLog } from './http/request-log.js';
import { ExampleValues, ReferenceController } from './openapi/reference.controller.js';
import { FrameController } from './pages/frame.controller.js';
import { HomeController } from './pages/home.controller.js';
import { HostedController } from './pages/hosted.controller.js';
import { ImagesController } from './pages/images.controller.js';
import { PageTransactions } from './pages/page-transactions.js';
import { PageResponder } from './pages/page.js';
import { VerifyController } from './pages/verify.controller.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from './settings.js';
import { SANDBOX_STORAGE, type SandboxStorage } from './storage/storage.js';
import { ExchangeLog } from './tokens/exchange-log.js';
import { RefreshTokenExchange } from './tokens/exchange.js';
import { TokensController } from './tokens/tokens.controller.js';
import { ActionMap } from './transactions/action-map.js';
import { Templates } from './transactions/templates.js';
import { TransactionResults } from './transactions/transaction-results.js';
import { AccessTokenGuard, ClientTokenGuard } from './transactions/transaction-token.guard.js';
import {
  CompletionLimit,
  TransactionFactory,
  TransactionIds,
} from './transactions/transaction.factory.js';
import { TransactionStore } from './transactions/transaction.js';
import { TransactionPresenter } from './transactions/transaction.presenter.js';
import { TransactionsController } from './transactions/transactions.controller.js';
import { Transactions } from './transactions/transactions.js';
import { UploadFlow } from './uploads/upload-flow.js';
import { UploadsController } from './uploads/uploads.controller.js';
import { SandboxWebhooks } from './webhooks/sandbox-webhooks.js';

/** Objects that the Nest application shares with the rest of the sandbox. */
export interface SandboxParts {
  settings: SandboxSettings;
  clock: SandboxClock;
  requests: RequestLog;
  faults: SandboxFaults;
  address: SandboxAddress;
  webhooks: SandboxWebhooks;
  signer: TokenSigner;
  storage: SandboxStorage;
  exchanges: ExchangeLog;
}

/** The local Berbix. */
@Module({
  controllers: [
    TokensController,
    TransactionsController,
    UploadsController,
    FrameController,
    HomeController,
    HostedController,
    VerifyController,
    ImagesController,
    ReferenceController,
    ControlController,
    RequestsController,
    FaultsController,
    ClockController,
    EventsController,
    ControlTransactionsController,
    StateController,
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
    EventFeed,
    ExampleValues,
    HostedLinks,
    ImageLinks,
    PageResponder,
    PageTransactions,
    RefreshTokenExchange,
    ResponseWriter,
    SandboxEvents,
    SandboxStateService,
    SandboxTransactions,
    Templates,
    TokenReader,
    TokenWriter,
    TransactionFactory,
    TransactionIds,
    TransactionPresenter,
    TransactionResults,
    Transactions,
    UploadFlow,
  ],
})
export class SandboxModule {
  /** Each call makes a separate sandbox. */
  static register({
    settings,
    clock,
    requests,
    faults,
    address,
    webhooks,
    signer,
    storage,
    exchanges,
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
        { provide: SANDBOX_STORAGE, useValue: storage },
        { provide: TransactionStore, useValue: storage.transactions },
        { provide: ExchangeLog, useValue: exchanges },
      ],
    };
  }
}
