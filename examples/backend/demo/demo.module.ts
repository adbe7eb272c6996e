import { Controller, Get, Header, Module } from '@nestjs/common';
import { AppModule } from '../app.module.js';

/** What the URL of the backend shows in a browser. */
const OFFERS = `The nestjs-berbix example backend

  POST   /verification         begin the verification, or resume it
  GET    /verification         its status
  GET    /verification/result  its result
  POST   /verification/again   begin another one
  DELETE /verification         delete it

Each of them is for the customer whom a header names, in place of a login:

  curl -H "x-demo-customer: ada" <this URL>/verification
`;

@Controller()
export class OffersController {
  @Get()
  @Header('Content-Type', 'text/plain; charset=utf-8')
  offers(): string {
    return OFFERS;
  }
}

/** The backend, and a page at its root for those who try it. */
@Module({ imports: [AppModule], controllers: [OffersController] })
export class DemoModule {}
