// Compiled, never run: what the package exports for stored tokens, verifications and webhooks, used as a user would.
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Post,
  UseGuards,
  type DynamicModule,
  type InjectionToken,
} from '@nestjs/common';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTokenStore,
  BerbixTokens,
  BerbixTokensGuard,
  BerbixVerificationService,
  BerbixWebhook,
  BerbixWebhookDto,
  BerbixWebhookGuard,
  BerbixWebhookKind,
  BerbixWebhookService,
  FreshTokens,
  InMemoryTokenStore,
  InjectBerbix,
  OnBerbixWebhook,
  RequireFreshTokens,
  VerificationResultDto,
  VerificationStartDto,
  createBerbixWebhookController,
  berbixEncryptionFromEnvironment,
  getBerbixToken,
  type BerbixVerificationOptions,
  type BerbixEncryptionOptions,
  type BerbixKeyProvider,
  type BerbixWebhookControllerOptions,
  type BerbixNamedKey,
  type RequireFreshTokensOptions,
  type BerbixRotatedTokens,
  type BerbixTransactionRef,
  type BerbixTokenResolver,
  type BerbixTokenRef,
  type BerbixVerificationStatus,
} from 'nestjs-berbix';
import {
  PostgresTokenStore,
  type PostgresClient,
  type PostgresTokenStoreOptions,
} from 'nestjs-berbix/postgres';
import {
  RedisTokenStore,
  type RedisClient,
  type RedisTokenStoreOptions,
} from 'nestjs-berbix/redis';
import {
  BerbixTokenStore as TokenStoreOfAuthors,
  reencryptTokens,
  type Lease,
  type ReencryptionCounts,
  type ReencryptionOptions,
  type RecordRevision,
  type StoredRecord,
} from 'nestjs-berbix/token-store';
import {
  BerbixTestingModule,
  FakeBerbix,
  FakeClock,
  sampleTokens,
  sampleWebhookBody,
  signBerbixWebhook,
  tokenStoreContract,
  type BerbixTestingOptions,
  type FakeCall,
  type SampleWebhook,
  type SignBerbixWebhookOptions,
  type TokenStoreCase,
} from 'nestjs-berbix/testing';
import { firstValueFrom, type Observable } from 'rxjs';

// Stores and encryption

declare const pool: PostgresClient;
declare const redis: RedisClient;
const postgresOptions: PostgresTokenStoreOptions = { table: 'berbix.tokens' };
const redisOptions: RedisTokenStoreOptions = { prefix: 'berbix:', durable: true };
const stores: BerbixTokenStore[] = [
  new PostgresTokenStore(pool, postgresOptions),
  new RedisTokenStore(redis, redisOptions),
  new InMemoryTokenStore(),
];

const key = new Uint8Array(32);
const named: BerbixNamedKey = { id: 'k2', key };
const keyProvider: BerbixKeyProvider = { current: () => named, byId: async () => key };
const ownKeys: BerbixEncryptionOptions = { keys: { k1: key }, current: 'k1' };
const providedKeys: BerbixEncryptionOptions = { keyProvider };
const encryption: BerbixEncryptionOptions = berbixEncryptionFromEnvironment() ?? ownKeys;

export async function reencrypted(store: BerbixTokenStore): Promise<ReencryptionCounts> {
  const options: ReencryptionOptions = { store, encryption: providedKeys };
  return reencryptTokens(options);
}

export async function leased(store: TokenStoreOfAuthors): Promise<Lease | undefined> {
  const record: StoredRecord | undefined = await store.load('a');
  const expected: RecordRevision = record ?? { version: 0, leaseEpoch: 0 };
  return store.lease('a', expected, 1000, '');
}

// Module

const secrets = async () => ['whs_new', 'whs_old'];
const module: DynamicModule = BerbixModule.forRoot({
  apiSecret: 'secret_test_of_the_dashboard',
  store: stores[0],
  encryption,
  freshness: { rotation: { graceMs: 30_000 }, cacheSize: 1000 },
  loadTokens: async (owner: BerbixTransactionRef) =>
    'customerUid' in owner ? 'of-the-database' : undefined,
  onRotation: ({ tokens, previousRefreshToken, customerUid }: BerbixRotatedTokens) =>
    void [tokens.refreshToken, previousRefreshToken, customerUid],
  webhooks: { finished: 'whs_of_the_dashboard', status: secrets },
});

// Services

const begin: BerbixVerificationOptions = { templateKey: 'tpk_x', kind: 'hosted', again: true };

@Injectable()
export class Flows {
  constructor(
    private readonly tokens: BerbixTokenService,
    private readonly verifications: BerbixVerificationService,
    @Inject(BerbixTokenStore) readonly store: BerbixTokenStore,
    @InjectBerbix(BerbixTokenStore, 'eu') readonly euStore: BerbixTokenStore,
    @InjectBerbix(BerbixVerificationService, 'eu') readonly eu: BerbixVerificationService,
    @InjectBerbix(BerbixWebhookService, 'eu') readonly euWebhooks: BerbixWebhookService,
  ) {}

  begin(uid: string): Observable<VerificationStartDto> {
    return this.verifications.begin(uid, begin);
  }

  async status(customerUid: string): Promise<BerbixVerificationStatus> {
    const ref: BerbixTokenRef = { customerUid };
    await firstValueFrom(this.tokens.remember({ customerUid, tokens: 'a' }));
    await firstValueFrom(this.tokens.fresh(ref, { leewayMs: 1000 }));
    await firstValueFrom(this.tokens.forget({ customerUid }));
    const result: VerificationResultDto = await firstValueFrom(
      this.verifications.result(customerUid),
    );
    return result.status;
  }

  @OnBerbixWebhook('status')
  changed(webhook: BerbixWebhookDto): string {
    return webhook.transactionId;
  }
}

// Guards

interface SignedIn {
  user: { id: string };
}

const resolve: BerbixTokenResolver<SignedIn> = ({ user }) => ({ customerUid: user.id });
const requirement: RequireFreshTokensOptions = { account: 'eu', guard: BerbixTokensGuard };

@Controller()
export class Guarded {
  @Get()
  @RequireFreshTokens((request: SignedIn) => ({ customerUid: request.user.id }))
  one(@FreshTokens() tokens: BerbixTokens): string | undefined {
    return tokens.transactionId;
  }

  @Get('eu')
  @RequireFreshTokens(resolve, requirement)
  two(): void {}

  @Post('hook')
  @UseGuards(BerbixWebhookGuard)
  @BerbixWebhookKind('finished')
  hook(@BerbixWebhook() webhook: BerbixWebhookDto): string {
    return webhook.customerUid;
  }
}

const controller: BerbixWebhookControllerOptions = { path: 'hooks' };

@Module({
  imports: [module],
  providers: [Flows],
  controllers: [Guarded, createBerbixWebhookController(controller)],
})
export class Application {}

export const injectionTokens: [
  InjectionToken<BerbixTokenStore>,
  InjectionToken<BerbixVerificationService>,
  InjectionToken<BerbixWebhookService>,
] = [
  getBerbixToken(BerbixTokenStore, 'eu'),
  getBerbixToken(BerbixVerificationService, 'eu'),
  getBerbixToken(BerbixWebhookService, 'eu'),
];

// Testing

const sample: SampleWebhook = { customerUid: 'ada' };
const signing: SignBerbixWebhookOptions = { secret: 'whs', body: sampleWebhookBody(sample) };
const request = {
  kind: 'finished' as const,
  header: signBerbixWebhook(signing),
  rawBody: Buffer.from(signing.body),
};

export async function deliver(service: BerbixWebhookService): Promise<string> {
  return service.handle(await service.verify(request));
}

export const cases: readonly TokenStoreCase[] = tokenStoreContract;

const berbix = new FakeBerbix();
const testingOptions: BerbixTestingOptions = { berbix, isGlobal: true };
export const testingModule: DynamicModule = BerbixTestingModule.forRoot(testingOptions);
export const calls: FakeCall[] = berbix.calls;

const clock: FakeClock = FakeClock.install();
clock.advance(1000);
clock.uninstall();
export const samples: BerbixTokens[] = [sampleTokens(), sampleTokens({ transactionId: '1' })];
