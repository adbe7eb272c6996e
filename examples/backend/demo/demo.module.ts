import { Controller, Get, Header, Module } from '@nestjs/common';
import { AppModule } from '../app.module.js';

/** What the URL of the backend shows in a browser. */
const ENDPOINTS = `The nestjs-berbix example backend

  POST   /verification         begin or resume the verification
  GET    /verification         get its status
  GET    /verification/result  get its result
  POST   /verification/again   begin another attempt
  DELETE /verification         delete it

A header names the customer, instead of a login:

  curl -H "x-demo-customer: ada" <this URL>/verification
`;

@Controller()
export class EndpointsController {
  @Get()
  @Header('Content-Type', 'text/plain; charset=utf-8')
  list(): string {
    return ENDPOINTS;
  }
}

/** The backend, with a list of its endpoints at the root. */
@Module({ imports: [AppModule], controllers: [EndpointsController] })
export class DemoModule {}
