// Compiled, never run: what the package exports, used as a user would. program-stored.ts and
// program-watched.ts have the rest; test/package/public-api.spec.ts fails if a name is in none of them.
import {
  Controller,
  Inject,
  Injectable,
  Module,
  Post,
  UseFilters,
  type DynamicModule,
  type InjectionToken,
} from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import {
  BerbixAuthenticationError,
  BerbixConfigurationError,
  BerbixConflictError,
  BerbixConnectionError,
  BerbixError,
  BerbixExceptionFilter,
  BerbixGoneError,
  BerbixInputError,
  BerbixInvalidAccessTokenError,
  BerbixInvalidRefreshTokenError,
  BerbixModule,
  BerbixRateLimitError,
  BerbixRequestError,
  BerbixResponseError,
  BerbixServerError,
  BerbixNotFoundError,
  BerbixStoreError,
  BerbixWebhookBodyError,
  BerbixWebhookSignatureError,
  BerbixTimeoutError,
  BerbixTokenService,
  BerbixTokens,
  BerbixTokensDto,
  BerbixTransactionService,
  BerbixUnavailableError,
  ApiOnlyTransactionDto,
  ClientTokenDto,
  CreateApiOnlyTransactionDto,
  CreateHostedTransactionDto,
  CreateTransactionDto,
  HostedTransactionDto,
  InjectBerbix,
  OverrideTransactionDto,
  RefreshTokensDto,
  TransactionDto,
  UpdateTransactionDto,
  UploadResultDto,
  berbixConfig,
  getBerbixToken,
  isBerbixError,
  type BerbixErrorCode,
  type BerbixModuleAsyncOptions,
  type BerbixModuleOptions,
  type BerbixOptionsFactory,
  type MatchDataDto,
  type BerbixReplacementTokens,
  type TransactionDuplicateDto,
  type TransactionFieldDto,
  type TransactionImagesDto,
  type UploadImageDto,
} from 'nestjs-berbix';
import {
  BerbixSandbox,
  RequestLog,
  SandboxClock,
  SandboxFaults,
  SandboxOptionError,
  type AnswerFault,
  type ApiJson,
  type BerbixSandboxOptions,
  type BerbixSandboxReady,
  type FaultTarget,
  type FloodFault,
  type HangFault,
  type HtmlFault,
  type LatencyFault,
  type Processable,
  type RecordedRequest,
  type RefreshTokenMode,
  type ResetFault,
  type SandboxFault,
  type StatusFault,
  type TemplateKeys,
  type TrickleFault,
  type TruncateFault,
  DeliveryLog,
  SandboxWebhooks,
  type ApiOnlyDocument,
  type ApiOnlySelfie,
  type SandboxWebhooksOptions,
  type WebhookDelivery,
  type WebhookFault,
  type WebhookKind,
  type WebhookOptions,
  type WebhookSecrets,
} from 'nestjs-berbix/sandbox';
import { firstValueFrom, map, type Observable } from 'rxjs';

// Options

const apiSecret: BerbixModuleOptions['apiSecret'] = async () => 'secret_test_of_the_vault';
const http: BerbixModuleOptions['http'] = {
  connections: 8,
  configureAxios: (axios) => axios.interceptors.request.use((config) => config),
};
const options: BerbixModuleOptions = {
  apiSecret,
  http,
  retry: { limit: 1, backoffLimit: 500 },
  timeoutMs: 3000,
};
const extras = { account: 'eu', isGlobal: true };

@Injectable()
export class Options implements BerbixOptionsFactory {
  createBerbixOptions(): BerbixModuleOptions {
    return options;
  }
}

const asyncOptions: BerbixModuleAsyncOptions = { useClass: Options, ...extras };

export const modules: DynamicModule[] = [
  BerbixModule.forRoot('secret_test_of_the_dashboard'),
  BerbixModule.forRoot({ ...options, ...extras }),
  BerbixModule.forRootAsync(asyncOptions),
  BerbixModule.forRootAsync(berbixConfig.asProvider()),
  BerbixModule.forRootAsync({
    imports: [ConfigModule.forFeature(berbixConfig)],
    inject: [berbixConfig.KEY],
    useFactory: (config: ConfigType<typeof berbixConfig>) => config,
  }),
];

// Services

@Injectable()
export class Verification {
  constructor(
    @Inject(BerbixTransactionService) private readonly transactions: BerbixTransactionService,
    private readonly tokens: BerbixTokenService,
    @InjectBerbix(BerbixTokenService, 'eu') readonly euTokens: BerbixTokenService,
    @InjectBerbix(BerbixTransactionService, 'eu') readonly euTransactions: BerbixTransactionService,
  ) {}

  create(transaction: CreateTransactionDto): Observable<BerbixTokens> {
    return this.transactions.create(transaction);
  }

  async refreshed({ refreshToken }: RefreshTokensDto): Promise<BerbixTokens> {
    const fresh = await firstValueFrom(this.tokens.refresh(new BerbixTokens({ refreshToken })));
    const expiresAt: Date | undefined = fresh.expiresAt;
    return fresh.needsRefresh() || expiresAt === undefined
      ? BerbixTokens.fromRefresh(fresh.refreshToken)
      : fresh;
  }
}

@Controller()
@UseFilters(BerbixExceptionFilter)
export class Verifications {
  constructor(@Inject(BerbixTokenService) private readonly tokens: BerbixTokenService) {}

  @Post()
  clientToken(): Observable<ClientTokenDto> {
    return this.tokens.refresh('of-the-database').pipe(map(ClientTokenDto.of));
  }
}

@Module({ imports: modules, providers: [Verification], controllers: [Verifications] })
export class Application {}

export const injectionTokens: [
  InjectionToken<BerbixTokenService>,
  InjectionToken<BerbixTransactionService>,
] = [getBerbixToken(BerbixTokenService, 'eu'), getBerbixToken(BerbixTransactionService, 'eu')];

export const accessToken: string = BerbixTokensDto.fromWire({ access_token: 'a' }).accessToken;

// Errors

const details = { status: 429, retryable: true, retryAfterMs: 1000 };

export const errors: BerbixError[] = [
  new BerbixAuthenticationError('', details),
  new BerbixConfigurationError(''),
  new BerbixConflictError('', details),
  new BerbixConnectionError('', details),
  new BerbixGoneError('', details),
  new BerbixInputError(''),
  new BerbixInvalidRefreshTokenError(''),
  new BerbixRateLimitError('', details),
  new BerbixRequestError('', details),
  new BerbixResponseError('', details),
  new BerbixServerError('', details),
  new BerbixNotFoundError('', details),
  new BerbixStoreError('', details),
  new BerbixWebhookBodyError('', details),
  new BerbixWebhookSignatureError('', details),
  new BerbixTimeoutError('', details),
  new BerbixInvalidAccessTokenError('', details),
  new BerbixUnavailableError('', details),
];

const rescued = ({ refreshToken, transactionId }: BerbixReplacementTokens): string =>
  transactionId ?? refreshToken;

export const advice: Partial<Record<BerbixErrorCode, string>> = { BERBIX_TIMEOUT: 'Wait.' };

export function explain(error: unknown): string | undefined {
  if (isBerbixError(error) && error.tokens) return rescued(error.tokens);
  if (error instanceof BerbixConflictError) return error.nextStep;
  if (error instanceof BerbixConnectionError) return error.reason;
  if (error instanceof SandboxOptionError) return `${error.option} ${error.problem}`;
  return isBerbixError(error) && error.retryable
    ? `${error.code} ${error.retryAfterMs}`
    : undefined;
}

// Transactions

const matchData: MatchDataDto = { givenName: 'ADA', dateOfBirth: '1990-12-10' };
const hosted: CreateHostedTransactionDto = { customerUid: 'ada', templateKey: 'tpk_x', matchData };
const apiOnly: CreateApiOnlyTransactionDto = { ...hosted, idCountry: 'US', idType: 'DL' };
const update: UpdateTransactionDto = { action: 'accept', note: 'seen' };
const result: OverrideTransactionDto = { responsePayload: 'us-dl', flags: ['id_expired'] };
const data = new Uint8Array([1]);
const image: UploadImageDto = { imageSubject: 'document_front', format: 'image/jpeg', data };

export async function walk(service: BerbixTransactionService): Promise<string[]> {
  const page: HostedTransactionDto = await firstValueFrom(service.createHosted(hosted));
  const created: ApiOnlyTransactionDto = await firstValueFrom(service.createApiOnly(apiOnly));
  const uploaded: UploadResultDto = await firstValueFrom(
    service.uploadImages(created.tokens, [image]),
  );
  const scanned = await firstValueFrom(service.uploadIdScan(uploaded.tokens, data));
  const tokens = await firstValueFrom(service.override(scanned.tokens, result));
  const changed: TransactionDto = await firstValueFrom(service.update(tokens, update));
  const fetched = await firstValueFrom(service.fetch(changed.tokens));
  const name: TransactionFieldDto | undefined = fetched.fields['given_name'];
  const front: TransactionImagesDto | undefined = fetched.images['front'];
  const duplicates: TransactionDuplicateDto[] = fetched.duplicates;
  await firstValueFrom(service.delete(fetched.tokens));
  const uids = duplicates.map(({ customerUid }) => customerUid);
  return [page.hostedUrl, name?.value ?? '', front?.fullImage ?? '', ...uids];
}

// Sandbox

const refreshToken: RefreshTokenMode = 'rotate';
const apiOnlyDocument: ApiOnlyDocument = 'photo';
const apiOnlySelfie: ApiOnlySelfie = 'liveness';
const finished: WebhookOptions = { url: 'http://127.0.0.1:3000/hook' };
const webhooks: SandboxWebhooksOptions = { finished, retryDelayMs: 10 };
const sandboxOptions: BerbixSandboxOptions = {
  refreshToken,
  rotationGraceSeconds: 10,
  apiOnlyDocument,
  apiOnlySelfie,
  webhooks,
};
const body: ApiJson = { transaction_id: 2n ** 60n, list: [1, null] };
const target: FaultTarget = { method: 'POST', path: '/v0/tokens', times: 2 };
const processable: Processable = { processed: true };
const latency: LatencyFault = { kind: 'latency', ms: 100, ...target };
const reset: ResetFault = { kind: 'reset', ...processable };
const hang: HangFault = { kind: 'hang' };
const trickle: TrickleFault = { kind: 'trickle', ms: 10 };
const flood: FloodFault = { kind: 'flood', bytes: 1e9 };
const truncate: TruncateFault = { kind: 'truncate' };
const html: HtmlFault = { kind: 'html', status: 502 };
const status: StatusFault = { kind: 'status', status: 503, retryAfter: 2 };
const answer: AnswerFault = { kind: 'answer', body };
const allFaults: SandboxFault[] = [
  latency,
  reset,
  hang,
  trickle,
  flood,
  truncate,
  html,
  status,
  answer,
];

export async function hook(sandbox: BerbixSandbox): Promise<WebhookDelivery | undefined> {
  const kind: WebhookKind = 'finished';
  const fault: WebhookFault = 'forged';
  const hooks: SandboxWebhooks = sandbox.webhooks;
  const secrets: WebhookSecrets = sandbox.webhookSecrets;
  hooks.failNext(fault, kind);
  const delivery = await hooks.sendTest(kind);
  const log: DeliveryLog = sandbox.deliveries;
  return secrets[kind] ? delivery : log.last;
}

export async function rehearse(): Promise<BerbixSandboxReady> {
  await using sandbox = await BerbixSandbox.start(sandboxOptions);
  const clock: SandboxClock = sandbox.clock;
  const faults: SandboxFaults = sandbox.faults;
  const requests: RequestLog = sandbox.requests;
  const keys: TemplateKeys = sandbox.templateKeys;
  clock.advance(3_600_000);
  for (const fault of allFaults) faults.add(fault);
  const seen: RecordedRequest[] = [...requests];
  return seen.length > 0 && keys.sdk ? sandbox.ready() : sandbox;
}
