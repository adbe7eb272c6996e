// Compiled, never run: what the package exports for stored tokens, used as a user would.
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type InjectionToken,
} from '@nestjs/common';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTokenStore,
  BerbixTokens,
  BerbixTokensGuard,
  FreshTokens,
  InMemoryTokenStore,
  InjectBerbixTokenStore,
  RequireFreshTokens,
  encryptionKeysFromEnvironment,
  getBerbixTokenStoreToken,
  reencryptTokens,
  type BerbixEncryptionKey,
  type BerbixEncryptionOptions,
  type BerbixFreshnessOptions,
  type BerbixKeyProvider,
  type BerbixOwnKeys,
  type BerbixProvidedKeys,
  type BerbixTokenModuleOptions,
  type FreshTokensOptions,
  type Lease,
  type NamedEncryptionKey,
  type ReencryptionCounts,
  type ReencryptionOptions,
  type RequireFreshTokensOptions,
  type RotatedTokens,
  type SeenRecord,
  type StoredRecord,
  type TokenOwner,
  type TokenResolver,
  type TokenSource,
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
import { tokenStoreContract, type TokenStoreCase } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';

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

const key: BerbixEncryptionKey = new Uint8Array(32);
const named: NamedEncryptionKey = { id: 'k2', key };
const keyProvider: BerbixKeyProvider = { current: () => named, byId: async () => key };
const ownKeys: BerbixOwnKeys = { keys: { k1: key }, current: 'k1' };
const providedKeys: BerbixProvidedKeys = { keyProvider };
const encryption: BerbixEncryptionOptions = encryptionKeysFromEnvironment() ?? ownKeys;

export async function reencrypted(store: BerbixTokenStore): Promise<ReencryptionCounts> {
  const options: ReencryptionOptions = { store, encryption: providedKeys };
  return reencryptTokens(options);
}

export async function leased(store: BerbixTokenStore): Promise<Lease | undefined> {
  const record: StoredRecord | undefined = await store.load('a');
  const seen: SeenRecord = record ?? { version: 0, fence: 0 };
  return store.lease('a', seen, 1000, '');
}

// Module

const freshness: BerbixFreshnessOptions = { rotation: { graceMs: 30_000 }, cacheSize: 1000 };
const tokenOptions: BerbixTokenModuleOptions = {
  store: stores[0],
  encryption,
  freshness,
  loadTokens: async (owner: TokenOwner) => ('customerUid' in owner ? 'of-the-database' : undefined),
  onRotation: ({ tokens, previousRefreshToken, customerUid }: RotatedTokens) =>
    void [tokens.refreshToken, previousRefreshToken, customerUid],
};
const module: DynamicModule = BerbixModule.forRoot({
  apiSecret: 'secret_test_of_the_dashboard',
  ...tokenOptions,
});

// Services

@Injectable()
export class Flows {
  constructor(
    private readonly tokens: BerbixTokenService,
    @Inject(BerbixTokenStore) readonly store: BerbixTokenStore,
    @InjectBerbixTokenStore('eu') readonly euStore: BerbixTokenStore,
  ) {}

  async renewed(customerUid: string): Promise<void> {
    const source: TokenSource = { customerUid };
    const options: FreshTokensOptions = { leewayMs: 1000 };
    await firstValueFrom(this.tokens.remember({ customerUid, tokens: 'a' }));
    await firstValueFrom(this.tokens.fresh(source, options));
    await firstValueFrom(this.tokens.forget({ customerUid }));
  }
}

// Guards

interface SignedIn {
  user: { id: string };
}

const resolve: TokenResolver<SignedIn> = ({ user }) => ({ customerUid: user.id });
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
}

@Module({
  imports: [module],
  providers: [Flows],
  controllers: [Guarded],
})
export class Application {}

export const injectionTokens: [InjectionToken<BerbixTokenStore>] = [getBerbixTokenStoreToken('eu')];

// Testing

export const cases: readonly TokenStoreCase[] = tokenStoreContract;
