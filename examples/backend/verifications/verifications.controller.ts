import { Controller, Get, Header, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { ClientTokenDto } from 'nestjs-berbix';
import { SignedInCustomer, SignedInGuard } from '../auth/signed-in.guard.js';
import { VerificationStatusDto } from './verification-status.dto.js';
import { VerificationsService } from './verifications.service.js';

/**
 * The signed-in customer's verification. The client token is the only token that leaves this
 * backend: whoever has the access or the refresh token can act in its place.
 */
@Controller('verification')
@UseGuards(SignedInGuard)
// A guard that lets a request in only with fresh Berbix tokens would be second here, behind the
// login: @UseGuards(SignedInGuard, …), on handlers that call Berbix in the customer's name.
export class VerificationsController {
  constructor(@Inject(VerificationsService) private readonly verifications: VerificationsService) {}

  /** Begins it, or resumes it: the page starts the Berbix front end with the client token. */
  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async begin(@SignedInCustomer() customerUid: string): Promise<ClientTokenDto> {
    return ClientTokenDto.of(await this.verifications.begin(customerUid));
  }

  @Get()
  async status(@SignedInCustomer() customerUid: string): Promise<VerificationStatusDto> {
    return VerificationStatusDto.of(await this.verifications.get(customerUid));
  }
}
