// An application in one file, which begins a verification and prints the answer. With @Inject, since
// esbuild and rolldown emit no types of parameters.
import { Controller, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BerbixModule, BerbixVerificationService, berbixConfig } from 'nestjs-berbix';

@Controller('verification')
class VerificationController {
  constructor(
    @Inject(BerbixVerificationService) private readonly verifications: BerbixVerificationService,
  ) {}

  @Post()
  begin() {
    return this.verifications.begin('ada', { templateKey: process.env['BERBIX_TEMPLATE_KEY']! });
  }
}

@Module({
  imports: [BerbixModule.forRootAsync(berbixConfig.asProvider())],
  controllers: [VerificationController],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const answer = await fetch(`${await app.getUrl()}/verification`, { method: 'POST' });
  console.log(await answer.text());
  await app.close();
}

void main();
