import { NestFactory } from '@nestjs/core';
import { BerbixModule, BerbixTokenService } from 'nestjs-berbix';
import { API_SECRET } from './api.js';

/** The service of an application that is set up as the README says. */
export async function openTokenService(apiUrl: string): Promise<BerbixTokenService> {
  const application = await NestFactory.createApplicationContext(
    BerbixModule.forRoot({ apiSecret: API_SECRET, apiHost: apiUrl }),
    { logger: false },
  );
  return application.get(BerbixTokenService);
}
