import { Controller, Module, Post } from '@nestjs/common';
import { BerbixModule, BerbixVerificationService, berbixConfig } from 'nestjs-berbix';

const berbix = BerbixModule.forRootAsync(berbixConfig.asProvider());

@Controller('verification')
class VerificationController {
  constructor(private readonly verifications: BerbixVerificationService) {}
  @Post() begin() {
    return this.verifications.begin('ada', { templateKey: process.env['BERBIX_TEMPLATE_KEY']! });
  }
}

@Module({ imports: [berbix], controllers: [VerificationController] })
export class AppModule {}
