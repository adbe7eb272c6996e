import { Controller, Inject, Module, Post, UseFilters, UseGuards } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import {
  BerbixExceptionFilter,
  BerbixModule,
  BerbixVerificationService,
  OnBerbixWebhook,
  berbixConfig,
  createBerbixWebhookController,
  type BerbixWebhookDto,
  type VerificationStartDto,
} from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { firstValueFrom, type Observable } from 'rxjs';
import {
  Database,
  DatabaseModule,
  SignedInCustomer,
  SignedInGuard,
  Statuses,
} from './application.js';

@Controller('verification')
@UseFilters(BerbixExceptionFilter)
export class VerificationController {
  readonly #templateKey: string;

  constructor(
    private readonly verifications: BerbixVerificationService,
    private readonly statuses: Statuses,
    @Inject(berbixConfig.KEY) config: ConfigType<typeof berbixConfig>,
  ) {
    // Here, so that a missing BERBIX_TEMPLATE_KEY stops the boot.
    this.#templateKey = config.templateKey;
  }

  /** Begins or resumes it; the answer has what the browser needs, and no secret of the backend. */
  @Post()
  @UseGuards(SignedInGuard)
  begin(@SignedInCustomer() uid: string): Observable<VerificationStartDto> {
    return this.verifications.begin(uid, { templateKey: this.#templateKey });
  }

  /** The signature was checked. A webhook only says that something changed: fetch the result. */
  @OnBerbixWebhook('finished')
  @OnBerbixWebhook('status')
  async update({ customerUid }: BerbixWebhookDto): Promise<void> {
    const { status } = await firstValueFrom(this.verifications.result(customerUid));
    await this.statuses.set(customerUid, status);
  }
}

@Module({
  imports: [
    // Reads the environment and `.env`; in your application once, in its root module.
    ConfigModule.forRoot({ isGlobal: true, load: [berbixConfig] }),
    BerbixModule.forRootAsync({
      imports: [DatabaseModule],
      inject: [berbixConfig.KEY, Database],
      // API secret, encryption keys and webhook secrets.
      useFactory: (config: ConfigType<typeof berbixConfig>, { pool }: Database) => ({
        ...config,
        store: new PostgresTokenStore(pool),
      }),
    }),
  ],
  controllers: [VerificationController, createBerbixWebhookController()],
  providers: [Statuses],
})
export class VerificationModule {}
