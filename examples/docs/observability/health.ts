import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { BerbixHealthIndicator } from 'nestjs-berbix/terminus';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly berbix: BerbixHealthIndicator,
  ) {}

  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.berbix.isHealthy('berbix')]);
  }
}

@Module({
  imports: [TerminusModule],
  controllers: [HealthController],
  providers: [BerbixHealthIndicator],
})
export class HealthModule {}
